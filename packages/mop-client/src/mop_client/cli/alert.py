"""`mop alert`: what the operator of a MOP server must fix."""

from typing import Annotated

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import moment, print_done, print_json, printable, say

app = typer.Typer()

alerts = typer.Typer(help="Alerts: what the operator must fix. Administrators only.")
app.add_typer(alerts, name="alert", invoke_without_command=True, callback=show_help)


@alerts.command(name="list")
def list_alerts(*, as_json: JsonFlag = False) -> None:
    """List the open alerts, the latest first, with what to do."""
    with open_server() as server:
        found = server.get("alerts")
    if as_json:
        print_json(found)
        return
    if not found:
        say("no alert is open")
    for one in found:
        often = "" if one["count"] == 1 else f", {one['count']:,} times since {moment(one['first_at'])}"
        print(printable(f"{one['id']}  {moment(one['last_at'])}  {one['title']}{often}"))
        print(printable(f"    {one['message']}"))
        if one["hint"]:
            print(printable(f"    hint: {one['hint']}"))


@alerts.command()
def close(
    alert: Annotated[int, typer.Argument(help="Its id, as `mop alert list` shows it.", show_default=False)],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Close an alert whose cause is fixed; if it comes again, a new one opens."""
    with open_server() as server:
        server.post("alerts", str(alert), "close")
    print_done({"closed_alert": alert}, f"alert {alert} is closed", as_json=as_json)
