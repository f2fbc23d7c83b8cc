"""`mop model owners`: who changes, publishes and deletes a model."""

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, ModelName, YesFlag
from mop_client.cli.owners import Username, add_to, remove_from, show_owners

app = typer.Typer()

owners = typer.Typer(help="Owners of a model, who change, publish and delete it.")
app.add_typer(owners, name="owners", invoke_without_command=True, callback=show_help)


@owners.command(name="add")
def add_owner(name: ModelName, username: Username, *, as_json: JsonFlag = False) -> None:
    """Add an owner to a model: they see all its versions and may do what you may."""
    add_to("models", name, username, as_json=as_json)


@owners.command(name="remove")
def remove_owner(name: ModelName, username: Username, *, yes: YesFlag = False, as_json: JsonFlag = False) -> None:
    """Remove an owner from a model; never the last one."""
    with open_server() as server:
        model = server.get("models", name)  # read before: who leaves may not see the model any more
        remove_from(server, "models", name, username, yes=yes)
    model["owners"] = [owner for owner in model["owners"] if owner != username]
    show_owners(model, as_json=as_json)
