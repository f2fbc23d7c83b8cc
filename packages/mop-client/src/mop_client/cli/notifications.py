"""`mop notifications`: what one was told on a MOP server."""

from typing import Annotated, Any

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_json, printable, say

app = typer.Typer()


@app.command()
def notifications(
    *,
    unread: Annotated[bool, typer.Option("--unread", help="Only what you have not read.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, from the newest.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Show what you were told: how versions of your models ended, what waits, whose owners changed."""
    with open_server() as server:
        page = server.get("notifications", unread=unread, limit=limit)
    if as_json:
        print_json(page)
        return
    for item in page["items"]:
        _print(item)
    say(f"{page['unread']} unread; * marks them")


def _print(item: dict[str, Any]) -> None:
    mark = " " if item["read_at"] else "*"
    print(f"{mark} {item['created_at'][:16].replace('T', ' ')}  {printable(item['title'])}")
    for line in (item["reason"], item["hint"] and f"hint: {item['hint']}", item["link"]):
        if line:
            print(f"    {printable(line)}")
