"""`mop model owners`: who changes, publishes and deletes a model."""

from typing import Annotated, Any

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, ModelName, YesFlag
from mop_client.cli.output import print_json, say

app = typer.Typer()

owners = typer.Typer(help="Owners of a model, who change, publish and delete it.")
app.add_typer(owners, name="owners", invoke_without_command=True, callback=show_help)

Username = Annotated[str, typer.Argument(help="User name.", show_default=False)]


@owners.command(name="add")
def add_owner(name: ModelName, username: Username, *, as_json: JsonFlag = False) -> None:
    """Add an owner to a model: they see all its versions and may do what you may."""
    with open_server() as server:
        model = server.post("models", name, "owners", body={"username": username})
    _show(model, as_json=as_json)


@owners.command(name="remove")
def remove_owner(name: ModelName, username: Username, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """Remove an owner from a model; never the last one."""
    with open_server() as server:
        model = server.get("models", name)  # read before: who leaves may not see the model any more
        if not yes:
            typer.confirm(f"Remove {username} from the owners of {name}?", abort=True, err=True)
        server.delete("models", name, "owners", username)
    model["owners"] = [owner for owner in model["owners"] if owner != username]
    _show(model, as_json=as_json)


def _show(model: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(model)
    else:
        say(f"owners of {model['name']}: {', '.join(model['owners'])}")
