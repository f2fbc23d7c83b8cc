"""`mop instance-type`: the machine sizes that versions of models may ask for, on a MOP server."""

from typing import Annotated

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_done, print_json, print_list

app = typer.Typer()

instance_types = typer.Typer(
    help="Instance types: machine sizes that versions may ask for. Administrators define them."
)
app.add_typer(instance_types, name="instance-type", invoke_without_command=True, callback=show_help)

Name = Annotated[
    str, typer.Argument(help="The instance type's name.", show_default=False, autocompletion=completion.instance_types)
]
COLUMNS = ("INSTANCE TYPE", "CPUS", "MEMORY", "GPUS", "OFFERED")


@instance_types.command(name="list")
def list_instance_types(
    *,
    retired: Annotated[bool, typer.Option("--retired", help="Those too that are not offered any more.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the instance types, the smallest first."""
    with open_server() as server:
        found = server.get("instance-types", retired=retired)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["name"],
            str(one["vcpus"]),
            f"{one['memory_gib']:g} GiB",
            f"{one['gpus']} {one['gpu_name']}".strip() if one["gpus"] else "",
            "yes" if one["is_offered"] else "no",
        )
        for one in found
    ]
    print_list(COLUMNS, rows, empty="No instance types to show. An administrator adds one: `mop instance-type create`.")


@instance_types.command()
def create(
    name: Annotated[str, typer.Argument(help="The new instance type's name.", show_default=False)],
    *,
    vcpus: Annotated[int, typer.Option(min=1, help="CPUs.", show_default=False)],
    memory_gib: Annotated[float, typer.Option("--memory-gib", help="Memory in GiB.", show_default=False)],
    gpus: Annotated[int, typer.Option(min=0, help="GPUs.")] = 0,
    gpu_name: Annotated[str, typer.Option(help="Which GPU, where there is one.", show_default=False)] = "",
    as_json: JsonFlag = False,
) -> None:
    """Define an instance type. Administrators only."""
    body = {"name": name, "vcpus": vcpus, "memory_gib": memory_gib, "gpus": gpus, "gpu_name": gpu_name}
    with open_server() as server:
        made = server.post("instance-types", body=body)
    print_done(made, f"the instance type {name} is defined", as_json=as_json)


@instance_types.command()
def retire(name: Name, *, as_json: JsonFlag = False) -> None:
    """Offer an instance type no longer; versions that have it keep it. Administrators only."""
    _offer(name, is_offered=False, as_json=as_json)


@instance_types.command()
def offer(name: Name, *, as_json: JsonFlag = False) -> None:
    """Offer a retired instance type again. Administrators only."""
    _offer(name, is_offered=True, as_json=as_json)


def _offer(name: str, *, is_offered: bool, as_json: bool) -> None:
    with open_server() as server:
        changed = server.patch("instance-types", name, body={"is_offered": is_offered})
    print_done(changed, f"{name} is {'offered' if is_offered else 'retired'}", as_json=as_json)
