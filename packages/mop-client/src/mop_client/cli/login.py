"""`mop login`: which server the model commands talk to."""

import sys
from typing import Annotated

import typer

from mop_client.cli.credentials import normalise_url, save_credentials
from mop_client.cli.output import say
from mop_client.credentials import Credentials

app = typer.Typer()


@app.command()
def login(
    *,
    url: Annotated[str, typer.Option(help="Address of the MOP server.", prompt="Server", show_default=False)],
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the token from the first line of stdin.")
    ] = False,
) -> None:
    """Keep a server's address and a personal access token (made in the portal, under your name)."""
    address = normalise_url(url)
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
