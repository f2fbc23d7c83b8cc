"""`mop token`: access tokens on a MOP server, over its REST API."""

from typing import Annotated, Any, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag
from mop_client.cli.output import print_done, print_json, print_list, say

app = typer.Typer()

tokens = typer.Typer(
    help="Your access tokens: the one of `mop login` and those made with it. The portal shows all of them."
)
app.add_typer(tokens, name="token", invoke_without_command=True, callback=show_help)

Token = Annotated[int, typer.Argument(help="The token's id, as `mop token list` shows it.", show_default=False)]
Days = Annotated[Optional[int], typer.Option(help="Days until it expires.", show_default=False)]


@tokens.command(name="list")
def list_tokens(*, as_json: JsonFlag = False) -> None:
    """List the token of `mop login` and those made with it."""
    with open_server() as server:
        found = server.get("tokens")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            str(one["id"]),
            one["name"],
            one["prefix"] + "…",
            ", ".join(one["scopes"]),
            "revoked" if one["revoked_at"] else one["expires_at"][:10],
        )
        for one in found
    ]
    print_list(
        ("ID", "NAME", "BEGINS WITH", "SCOPES", "EXPIRES"), rows, empty="No tokens. `mop token create` makes one."
    )


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(help="What uses it, such as: build server.", show_default=False)],
    *,
    scope: Annotated[
        list[str],
        typer.Option(help="What it may do, such as models:write or datasets:read. Repeatable.", show_default=False),
    ],
    days: Days = None,
    as_json: JsonFlag = False,
) -> None:
    """Create a token and print its secret.

    It has no scope that the token of `mop login` lacks, lives no longer than that and ends with it. For any other,
    sign in to the portal.
    """
    body: dict[str, Any] = {"name": name, "scopes": scope}
    with open_server() as server:
        made = server.post("tokens", body=body if days is None else {**body, "days": days})
    _show(made, as_json=as_json)


@tokens.command()
def rotate(
    token: Token,
    *,
    overlap_hours: Annotated[int, typer.Option(help="Hours that the old secret still works.")] = 0,
    as_json: JsonFlag = False,
) -> None:
    """Replace a token's secret and print the new one; the date of its end stays.

    If it is the token of `mop login`, sign in again with the new one.
    """
    with open_server() as server:
        made = server.post("tokens", str(token), "rotate", body={"overlap_hours": overlap_hours})
    _show(made, as_json=as_json)


@tokens.command()
def revoke(token: Token, *, as_json: JsonFlag = False) -> None:
    """End a token, and all that were made with it."""
    with open_server() as server:
        server.delete("tokens", str(token))
    print_done({"token": token, "revoked": True}, f"the token {token} is revoked", as_json=as_json)


def _show(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    print(made["secret"])
    say(
        f"{made['name']} ({', '.join(made['scopes'])}) works until {made['expires_at'][:10]}; keep it: it is shown once"
    )
