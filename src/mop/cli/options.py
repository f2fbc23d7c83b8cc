"""`mop_client.cli.options`, for the commands that stand in the server's package, and an option of theirs."""

from __future__ import annotations

from typing import Annotated

import typer

from mop_client.cli.options import JsonFlag, one_of, read_json

YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

__all__ = ["JsonFlag", "YesFlag", "one_of", "read_json"]
