"""`mop run`: a local folder as a web service."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mop.cli.check import FolderArgument, NoSandbox, Verbose
from mop.cli.platforms import require_linux
from mop.serving_options import ServerMode, ServingOptions, idle_size_problem
from mop_client.cli.output import say
from mop_client.cli.serving_flags import takes_configuration

if TYPE_CHECKING:
    from mop.hosting.configuration import Configuration
    from mop.hosting.tools import HostTools

app = typer.Typer()

PORT_DEFAULT = 5001  # that of Azure ML's local inference server


@app.command()
@takes_configuration
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
    no_sandbox: NoSandbox = False,
    verbose: Verbose = False,
    **options: Any,
) -> None:
    """Serve a model folder until interrupted; the address is printed on stdout when the model is ready."""
    import asyncio

    require_linux("run")
    if uds is not None and port is not None:
        raise typer.BadParameter("give --uds or --port, not both.")
    given = ServingOptions(**options)
    if problem := idle_size_problem(idle=given.batch_idle_size, largest=given.batch_max_size):
        raise typer.BadParameter(problem)
    from mop.cli.installation import open_settings

    open_settings()
    from mop.hosting.configuration import Configuration
    from mop.hosting.tools import open_host_tools
    from mop.onboarding.verification import DEFAULT_CONFIGURATION
    from mop.serving.config import BatchPolicy

    configuration = Configuration(
        cpus=DEFAULT_CONFIGURATION.cpus,
        memory_bytes=DEFAULT_CONFIGURATION.memory_bytes,
        server=ServerMode(given.server),
        workers=given.worker_number,
        threads=given.thread_number,
        batch=BatchPolicy.of(given),
    )
    tools = open_host_tools(sandbox=not no_sandbox)
    socket = None if uds is None else uds.absolute()
    asyncio.run(_serve(folder.resolve(), tools, configuration, socket, port or PORT_DEFAULT, verbose=verbose))


async def _serve(
    folder: Path, tools: HostTools, configuration: Configuration, uds: Path | None, port: int, *, verbose: bool
) -> None:
    import asyncio

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
