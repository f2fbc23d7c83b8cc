"""`mop worker`: the process that onboards models."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from mop.cli.platforms import require_linux

app = typer.Typer()


@app.command()
def worker(
    instance_types: Annotated[
        str, typer.Option(help="Comma-separated instance types to take; left out: all without a GPU.")
    ] = "",
    name: Annotated[
        str, typer.Option(help="Name of this worker, unique in the installation; left out: the host's.")
    ] = "",
) -> None:
    """Run one worker in the foreground; `mop up` starts one by itself."""
    require_linux("worker")
    arguments = [f"--instance-types={instance_types}"] if instance_types else []
    arguments += [f"--name={name}"] if name else []
    # the worker replaces this process: signals reach it directly
    os.execv(sys.executable, [sys.executable, "-m", "mop.worker", *arguments])  # noqa: S606 - our own module, no shell
