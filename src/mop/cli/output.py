"""`mop_client.cli.output`, for the commands that stand in the server's package."""

from __future__ import annotations

from mop_client.cli.output import (
    console,
    error_lines,
    print_columns,
    print_error,
    print_json,
    printable,
    say,
    stage_line,
    wants_colour,
)

__all__ = [
    "console",
    "error_lines",
    "print_columns",
    "print_error",
    "print_json",
    "printable",
    "say",
    "stage_line",
    "wants_colour",
]
