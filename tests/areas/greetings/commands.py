"""`mop greet`."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def greet(name: Annotated[str, typer.Argument(help="Who is greeted.")]) -> None:
    """Greet somebody."""
    print(f"Hello {name}")  # noqa: T201 - a command line prints
