"""`mop session`: where you are signed in to the portal of a MOP server."""

from typing import Annotated, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import moment, print_done, print_json, print_list

app = typer.Typer()

sessions = typer.Typer(help="Your sessions of the portal; access tokens are `mop token`.")
app.add_typer(sessions, name="session", invoke_without_command=True, callback=show_help)


@sessions.command(name="list")
def list_sessions(*, as_json: JsonFlag = False) -> None:
    """List where you are signed in, the session seen last first."""
    with open_server() as server:
        found = server.get("sessions")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            str(one["id"]),
            moment(one["seen_at"]),
            moment(one["created_at"]),
            one["address"],
            one["browser"],
        )
        for one in found
    ]
    print_list(
        ("ID", "SEEN", "SIGNED IN", "ADDRESS", "BROWSER"),
        rows,
        empty="You are signed in to the portal nowhere. `mop login` makes access tokens, which `mop token list` lists.",
    )


@sessions.command()
def end(
    session: Annotated[
        Optional[int], typer.Argument(help="Its id, as `mop session list` shows it.", show_default=False)
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="End all of them.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Sign out of one session of the portal, or of all."""
    if (session is None) != every:
        raise typer.BadParameter("give the id of a session, or --all")
    with open_server() as server:
        if session is None:
            ended = server.delete("sessions")["ended"]
        else:
            server.delete("sessions", str(session))
            ended = 1
    print_done({"ended": ended}, f"{ended} session{'' if ended == 1 else 's'} ended", as_json=as_json)
