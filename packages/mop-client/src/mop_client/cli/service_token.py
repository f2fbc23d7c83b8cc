"""`mop service token`: the tokens by which a downstream service acts for itself, over the REST API."""

from typing import Annotated, Optional

import typer

from mop_client.cli.connection import open_server
from mop_client.cli.help import show_help
from mop_client.cli.options import JsonFlag, YesFlag, one_of
from mop_client.cli.output import moment, print_done, print_json, print_list, say
from mop_client.cli.service import Name
from mop_client.words import SERVICE_SCOPES

app = typer.Typer()

tokens = typer.Typer(help="Tokens of a service, for its admins: it pulls bundles and acknowledges releases with them.")
app.add_typer(tokens, name="token", invoke_without_command=True, callback=show_help)


@tokens.command(name="list")
def list_tokens(service: Name, *, as_json: JsonFlag = False) -> None:
    """List the tokens of a service, without their secrets."""
    with open_server() as server:
        found = server.get("services", service, "tokens")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            str(one["number"]),
            one["name"],
            one["prefix"],
            ", ".join(one["scopes"]),
            "revoked" if one["revoked_at"] else f"until {one['expires_at'][:10]}",
            moment(one["last_used_at"]),
        )
        for one in found
    ]
    print_list(
        ("NUMBER", "NAME", "BEGINS WITH", "SCOPES", "WORKS", "LAST USED"),
        rows,
        empty="The service has no token. `mop service token create` makes one.",
    )


@tokens.command()
def create(
    service: Name,
    name: Annotated[str, typer.Argument(help="What uses it.", show_default=False)],
    *,
    scope: Annotated[
        Optional[list[str]],
        typer.Option(
            parser=one_of(SERVICE_SCOPES),
            metavar="SCOPE",
            help="bundle:read, release:acknowledge or case:report; may be repeated. Left out: all.",
            show_default=False,
        ),
    ] = None,
    days: Annotated[Optional[int], typer.Option(help="Days that it works; 90 if left out.", show_default=False)] = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a token of a service and print its secret, once."""
    given = {"name": name, "scopes": scope or None, "days": days}
    with open_server() as server:
        body = {key: value for key, value in given.items() if value is not None}
        made = server.post("services", service, "tokens", body=body)
    if as_json:
        print_json(made)
        return
    print(made["secret"])
    say(f"token {made['number']} of {service} works until {made['expires_at'][:10]}; keep it: it is shown once")


@tokens.command()
def revoke(
    service: Name,
    number: Annotated[int, typer.Argument(help="The token's number, as `list` shows it.", show_default=False)],
    *,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """End a token of a service."""
    with open_server() as server:
        if not yes:
            typer.confirm(f"End the token {number} of {service}?", abort=True, err=True)
        server.delete("services", service, "tokens", str(number))
    done = {"service": service, "token": number, "revoked": True}
    print_done(done, f"the token {number} of {service} is revoked", as_json=as_json)
