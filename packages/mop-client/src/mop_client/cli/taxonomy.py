"""`mop taxonomy`: the kinds of harm that tasks belong to, on a MOP server."""

from typing import Annotated

import typer

from mop_client.cli import completion
from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_done, print_json, print_list

app = typer.Typer()

taxonomies = typer.Typer(help="Taxonomies: the kinds of harm that tasks belong to. Administrators define them.")
app.add_typer(taxonomies, name="taxonomy", invoke_without_command=True, callback=show_help)

Taxonomy = Annotated[
    str, typer.Argument(help="The taxonomy's name.", show_default=False, autocompletion=completion.taxonomies)
]


@taxonomies.command(name="list")
def list_taxonomies(*, as_json: JsonFlag = False) -> None:
    """List the taxonomies."""
    with open_server() as server:
        found = server.get("taxonomies")
    if as_json:
        print_json(found)
    else:
        print_list(
            ("TAXONOMY", "DESCRIPTION"),
            [(one["name"], one["description"]) for one in found],
            empty="There are no taxonomies. An administrator adds one: `mop taxonomy create`.",
        )


@taxonomies.command()
def create(
    name: Annotated[
        str, typer.Argument(help="Its name, which models return and which never changes.", show_default=False)
    ],
    *,
    description: Annotated[str, typer.Option(help="What belongs to it.", show_default=False)] = "",
    as_json: JsonFlag = False,
) -> None:
    """Define a taxonomy. Administrators only."""
    with open_server() as server:
        made = server.post("taxonomies", body={"name": name, "description": description})
    print_done(made, f"the taxonomy {name} is defined", as_json=as_json)


@taxonomies.command()
def edit(
    taxonomy: Taxonomy,
    *,
    description: Annotated[str, typer.Option(help="Its new description.", show_default=False)],
    as_json: JsonFlag = False,
) -> None:
    """Change the description of a taxonomy. Administrators only."""
    with open_server() as server:
        changed = server.patch("taxonomies", taxonomy, body={"description": description})
    print_done(changed, f"the taxonomy {taxonomy} is changed", as_json=as_json)
