"""`mop login`: which server the model commands talk to."""

import sys
from typing import Annotated, Optional

import typer

from mop_client.cli.credentials import normalise_url, save_credentials
from mop_client.cli.output import say
from mop_client.credentials import Credentials

app = typer.Typer()


@app.command()
def login(
    url: Annotated[
        Optional[str], typer.Argument(help="Address of the MOP server; asked for if left out.", show_default=False)
    ] = None,
    *,
    as_option: Annotated[
        Optional[str], typer.Option("--url", help="The address as an option.", show_default=False)
    ] = None,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the token from the first line of stdin.")
    ] = False,
) -> None:
    """Keep a server's address and a personal access token (made in the portal, under your name)."""
    if url and as_option:
        raise typer.BadParameter("give the address once.")
    address = normalise_url(url or as_option or typer.prompt("Server", err=True))
    if token_stdin:
        token = sys.stdin.readline().strip()
    else:
        say(f"make a token at {address}/account/tokens/, and paste it here")
        token = typer.prompt("Token", hide_input=True, err=True)
    if not token:
        raise typer.BadParameter("the token is empty.")
    from mop_client.cli.client import Server

    credentials = Credentials(url=address, token=token)
    Server(credentials).get("models", limit=1)  # refuses a wrong address or token before anything is kept
    say(f"signed in to {address}; kept in {save_credentials(credentials)}")
