"""`mop createuser`: local accounts, made by the operator of the installation."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mop_client.cli.output import say

app = typer.Typer()


@app.command()
def createuser(
    username: Annotated[str, typer.Argument(help="Name to sign in with.", show_default=False)],
    *,
    admin: Annotated[bool, typer.Option("--admin", help="Make an administrator: may define tasks and teams.")] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
    ] = False,
) -> None:
    """Add a local account to this host's installation."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _ask()
    from mop.cli.installation import open_database

    open_database()
    from mop.accounts.services import create_user
    from mop.audit.services import Actor

    user = create_user(actor=Actor.system("createuser"), username=username, password=password, is_administrator=admin)
    say(f"{'administrator' if admin else 'user'} {user.username} can sign in")


def _ask() -> str:
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer
