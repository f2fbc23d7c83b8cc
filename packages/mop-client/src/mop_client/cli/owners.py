"""What `mop model owners` and `mop dataset owners` have in common."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.output import print_json, say

if TYPE_CHECKING:
    from mop_client.cli.client import Server

Username = Annotated[str, typer.Argument(help="User name.", show_default=False)]


def add_to(kind: str, name: str, username: str, *, as_json: bool) -> None:
    """Add an owner, and show all; `kind` is the API's name of such things."""
    with open_server() as server:
        thing = server.post(kind, name, "owners", body={"username": username})
    show_owners(thing, as_json=as_json)


def remove_from(server: "Server", kind: str, name: str, username: str, *, yes: bool) -> None:
    """Ask, unless `yes` says not to, and remove an owner."""
    if not yes:
        typer.confirm(f"Remove {username} from the owners of {name}?", abort=True, err=True)
    server.delete(kind, name, "owners", username)


def show_owners(thing: dict[str, Any], *, as_json: bool) -> None:
    """The thing as JSON, or who its owners are."""
    if as_json:
        print_json(thing)
    else:
        say(f"owners of {thing['name']}: {', '.join(thing['owners'])}")
