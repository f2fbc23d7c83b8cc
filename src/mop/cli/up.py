"""`mop up`: portal, API and one worker on this host."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mop.cli.platforms import require_linux
from mop_client.cli.output import say

app = typer.Typer()

PORT_DEFAULT = 8000


@app.command()
def up(
    host: Annotated[
        str, typer.Option(help="Address to listen on; others reach it by a name in MOP_ALLOWED_HOSTS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = PORT_DEFAULT,
) -> None:
    """Start portal, API and one worker; Ctrl-C stops them."""
    require_linux("up")
    from mop.cli.installation import conf, open_settings
    from mop.cli.keep_parts import become
    from mop.cli.serving_parts import check_port, prepare_installation

    check_port(host, port)
    open_settings()
    from django.conf import settings
    from django.db import connections

    from mop.backup.occupancy import occupy

    occupy(settings.MOP_HOME)
    for line in conf("options").unknown_variables(os.environ):
        say(f"no setting has the name {line}")
    prepare_installation()
    from mop.accounts.models import User

    has_users = User.objects.exists()
    connections.close_all()
    become(host, port, has_users=has_users)
