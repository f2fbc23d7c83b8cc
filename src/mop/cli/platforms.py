"""What runs where: models and servers on Linux; client commands everywhere."""

from __future__ import annotations

import platform

import typer

from mop_client.cli.exit_codes import ExitCode
from mop_client.cli.output import say


def require_linux(command: str) -> None:
    """End with exit code 64 on other systems, saying what to do instead."""
    if platform.system() == "Linux":
        return
    say(f"mop {command} runs models, and models run on Linux (WSL2 included).")
    say("On this system use the portal of a MOP server, or `mop login` and `mop model`.")
    raise typer.Exit(ExitCode.USAGE)
