"""`mop notification`: what one was told on a MOP server, and what one wants to be told."""

from typing import Annotated, Any, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import moment, print_columns, print_done, print_json, printable, say

app = typer.Typer()

notifications = typer.Typer(help="What you were told: how versions of your models ended, what waits for you.")
app.add_typer(notifications, name="notification", invoke_without_command=True, callback=show_help)


@notifications.command(name="list")
def list_notifications(
    *,
    unread: Annotated[bool, typer.Option("--unread", help="Only what you have not read.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, from the newest.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Show what you were told, newest first."""
    with open_server() as server:
        page = server.get("notifications", unread=unread, limit=limit)
    if as_json:
        print_json(page)
        return
    for item in page["items"]:
        _print(item, server.url)
    if not page["items"]:
        say("Nothing to show: you are told how your versions end, and what waits for you.")
        return
    say(f"{page['unread']} unread; * marks them")


@notifications.command()
def read(*, as_json: JsonFlag = False) -> None:
    """Mark everything as read that you were told until now."""
    with open_server() as server:
        newest = server.get("notifications", limit=1)["items"]
        done = server.post("notifications", "read", body={"up_to": newest[0]["id"] if newest else 0})
    print_done(done, f"{done['marked']} marked as read", as_json=as_json)


@notifications.command()
def settings(
    *,
    email: Annotated[
        Optional[str], typer.Option(help="Where your e-mails go; empty: none is sent.", show_default=False)
    ] = None,
    on: Annotated[
        Optional[list[str]],
        typer.Option(
            "--on", metavar="KIND", help="Tell me of this kind in the portal. Repeatable.", show_default=False
        ),
    ] = None,
    off: Annotated[
        Optional[list[str]],
        typer.Option(
            "--off", metavar="KIND", help="Do not tell me of this kind at all. Repeatable.", show_default=False
        ),
    ] = None,
    email_on: Annotated[
        Optional[list[str]],
        typer.Option("--email-on", metavar="KIND", help="By e-mail too. Repeatable.", show_default=False),
    ] = None,
    email_off: Annotated[
        Optional[list[str]],
        typer.Option("--email-off", metavar="KIND", help="No e-mail. Repeatable.", show_default=False),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show or change which kinds you are told of, and where."""
    with open_server() as server:
        found = server.get("notifications", "settings")
        changed = _changed(found["kinds"], on or [], off or [], email_on or [], email_off or [])
        if changed or email is not None:
            body = {"kinds": changed} if email is None else {"kinds": changed, "email": email}
            found = server.patch("notifications", "settings", body=body)
    if as_json:
        print_json(found)
        return
    say(f"e-mails go to {found['email'] or 'nobody'}")
    rows = [
        (one["kind"], "yes" if one["in_portal"] else "no", "yes" if one["by_email"] else "no", one["label"])
        for one in found["kinds"]
    ]
    print_columns(("KIND", "PORTAL", "E-MAIL", "WHAT"), rows)


def _changed(
    kinds: list[dict[str, Any]], on: list[str], off: list[str], email_on: list[str], email_off: list[str]
) -> list[dict[str, Any]]:
    """What differs from the present settings; a kind that the server does not know is sent too, and refused there."""
    present = {one["kind"]: one for one in kinds}
    changed = []
    for kind in dict.fromkeys((*on, *off, *email_on, *email_off)):
        before = present.get(kind, {"in_portal": False, "by_email": False})
        wanted = {
            "kind": kind,
            "in_portal": (before["in_portal"] or kind in on) and kind not in off,
            "by_email": (before["by_email"] or kind in email_on) and kind not in (*off, *email_off),
        }
        changed.append(wanted)
    return changed


def _print(item: dict[str, Any], url: str) -> None:
    mark = " " if item["read_at"] else "*"
    print(f"{mark} {moment(item['created_at'])}  {printable(item['title'])}")
    for line in (item["reason"], item["hint"] and f"hint: {item['hint']}", item["link"] and url + item["link"]):
        if line:
            print(f"    {printable(line)}")
