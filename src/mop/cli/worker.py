"""`mop worker`: the process that onboards models."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import Annotated

import typer

from mop.cli.failures import NoWorkerError
from mop.cli.platforms import require_linux
from mop_client.cli.output import say

app = typer.Typer()


@app.command()
def worker(
    instance_types: Annotated[
        str, typer.Option(help="Comma-separated instance types to take; left out: all without a GPU.")
    ] = "",
    name: Annotated[
        str, typer.Option(help="Name of this worker, unique in the installation; left out: the host's.")
    ] = "",
    *,
    drain: Annotated[
        bool,
        typer.Option("--drain", help="Start none: let the one that runs here end with the work that it has taken."),
    ] = False,
) -> None:
    """Run one worker in the foreground; `mop up` starts one by itself."""
    require_linux("worker")
    if drain:
        _drain(name)
        return
    arguments = [f"--instance-types={instance_types}"] if instance_types else []
    arguments += [f"--name={name}"] if name else []
    # the worker replaces this process: signals reach it directly
    os.execv(sys.executable, [sys.executable, "-m", "mop.worker", *arguments])  # noqa: S606 - our own module, no shell


def _drain(name: str) -> None:
    """Tell the worker of this name on this host.

    Raises:
        NoWorkerError: there is none.
    """
    from mop.cli.installation import open_settings

    open_settings()
    from mop.engine.worker_registry import process_of

    name = name or socket.gethostname()
    pid = process_of(name)
    if pid is None:
        raise NoWorkerError(f"No worker named {name!r} runs on this host.")
    os.kill(pid, signal.SIGUSR1)
    say(f"the worker {name} takes no more work, and ends with what it has taken; its log says when")
