"""A group of commands that is called without one."""

from __future__ import annotations

import typer


def show_help(ctx: typer.Context) -> None:
    """Show a group's help when none of its commands is named."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())
