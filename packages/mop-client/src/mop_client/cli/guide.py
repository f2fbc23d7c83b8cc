"""`mop guide`: the guides of a server's help, on the terminal."""

from typing import Annotated

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_json, print_list, printable

app = typer.Typer()
guides = typer.Typer(help="The guides of the help.")
app.add_typer(guides, name="guide", invoke_without_command=True, callback=show_help)


@guides.command(name="list")
def list_guides(*, as_json: JsonFlag = False) -> None:
    """List the guides: what they are about, and for whom."""
    with open_server() as server:
        found = server.get("guides")
    if as_json:
        print_json(found)
    else:
        print_list(
            ("GUIDE", "TITLE", "ABOUT"),
            [(one["name"], one["title"], one["group"]) for one in found],
            empty="The server has no guides.",
        )


@guides.command()
def show(
    name: Annotated[str, typer.Argument(help="The guide's name; see `mop guide list`.", show_default=False)],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Print a guide, in Markdown."""
    with open_server() as server:
        guide = server.get("guides", name)
    if as_json:
        print_json(guide)
        return
    for line in guide["text"].splitlines():
        print(printable(line))
