"""The command tree's root. `mop.cli.main` puts the commands of the installation and of its areas below it."""

from __future__ import annotations

from typing import Annotated

import typer

from mop_client.cli.help import show_help

__all__ = ["app", "root", "show_help"]

app = typer.Typer(
    name="mop",
    help="MOP, the RAI Model Onboarding Pipeline: check, onboard and run classification models.",
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an internal error.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show MOP's version.")] = False,
) -> None:
    """Answer `--version`, or show the help when no command is given."""
    context.obj = {"debug": debug}
    if version:
        from importlib.metadata import version as version_of

        print(f"mop {version_of('mop')}")
    else:
        show_help(context)
