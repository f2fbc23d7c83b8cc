"""`mop run`: a local folder as a web service."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mop.cli.check import FolderArgument, NoSandbox, Verbose
from mop.cli.options import one_of
from mop.cli.output import say
from mop.cli.platforms import require_linux

if TYPE_CHECKING:
    from mop.hosting.configuration import Configuration
    from mop.hosting.tools import HostTools

app = typer.Typer()

PORT_DEFAULT = 5001  # that of Azure ML's local inference server


@app.command()
def run(
    folder: FolderArgument,
    *,
    uds: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Serve on this unix socket.", show_default=False)
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help=f"Serve on this port of 127.0.0.1 ({PORT_DEFAULT}).", show_default=False),
    ] = None,
    server: Annotated[
        str,
        typer.Option(
            parser=one_of(("mop", "gunicorn")),
            metavar="SERVER",
            help="mop, or gunicorn to reproduce such a deployment.",
        ),
    ] = "mop",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Model processes.")] = 1,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of each, used without batching.")] = 8,
    batch_max: Annotated[int, typer.Option(min=1, max=1024, help="Items of a batch at most.")] = 12,
    batch_idle: Annotated[int, typer.Option(min=1, max=1024, help="Items that start a batch when idle.")] = 3,
    batch_interval: Annotated[float, typer.Option(min=0, max=10, help="Seconds that an item waits at most.")] = 0.002,
    no_batch: Annotated[bool, typer.Option("--no-batch", help="Call inference() for each item.")] = False,
    no_sandbox: NoSandbox = False,
    verbose: Verbose = False,
) -> None:
    """Serve a model folder until interrupted; the address is printed on stdout when the model is ready."""
    require_linux("run")
    if uds is not None and port is not None:
        raise typer.BadParameter("give --uds or --port, not both.")
    if batch_idle > batch_max:
        raise typer.BadParameter("--batch-idle must not be over --batch-max.")
    from mop.cli.installation import open_settings

    open_settings()
    from mop.hosting.configuration import Configuration
    from mop.hosting.tools import open_host_tools
    from mop.onboarding.verification import DEFAULT_CONFIGURATION
    from mop.serving.config import BatchPolicy, ServerMode

    configuration = Configuration(
        cpus=DEFAULT_CONFIGURATION.cpus,
        memory_bytes=DEFAULT_CONFIGURATION.memory_bytes,
        server=ServerMode(server),
        workers=workers,
        threads=threads,
        batch=BatchPolicy(
            enabled=not no_batch, max_size=batch_max, idle_size=batch_idle, max_interval_s=batch_interval
        ),
    )
    tools = open_host_tools(sandbox=not no_sandbox)
    socket = None if uds is None else uds.absolute()
    asyncio.run(_serve(folder.resolve(), tools, configuration, socket, port or PORT_DEFAULT, verbose=verbose))


async def _serve(
    folder: Path, tools: HostTools, configuration: Configuration, uds: Path | None, port: int, *, verbose: bool
) -> None:
    from mop.cli.progress import StageProgress
    from mop.onboarding.verification import serve_folder

    ready, stop = asyncio.Event(), asyncio.Event()
    main = asyncio.current_task()

    def interrupt() -> None:
        stop.set()
        if main is not None and not ready.is_set():
            main.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    listener = StageProgress(verbose=verbose)
    service_port = None if uds is not None else port
    try:
        async with serve_folder(
            folder, tools=tools, listener=listener, configuration=configuration, uds=uds, port=service_port
        ) as service:
            print(service.address, flush=True)
            say("serving until interrupted (Ctrl-C)")
            ready.set()
            await stop.wait()
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None  # interrupted before it was ready
