"""`mop serve-release`: what is live for a service, by the wire contract of Azure AI Content Safety."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from mop.cli.platforms import require_linux
from mop_client.cli.output import say

app = typer.Typer()

PORT_DEFAULT = 5002


@app.command(name="serve-release")
def serve_release(
    service: Annotated[str, typer.Argument(help="The service's name.", show_default=False)],
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = PORT_DEFAULT,
    host: Annotated[
        str, typer.Option(help="Address to bind to; anything but localhost needs a proxy with TLS in front.")
    ] = "127.0.0.1",
) -> None:
    """Serve what is live for a service by the Content Safety contract, until interrupted."""
    import asyncio

    require_linux("serve-release")
    from mop.cli.installation import open_settings

    open_settings()
    import uvloop
    from django.conf import settings

    from mop.backup.occupancy import occupied
    from mop.engine.database import end_frozen_transactions

    end_frozen_transactions()
    with occupied(settings.MOP_HOME), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(service, host, port))


async def _serve(service: str, host: str, port: int) -> None:
    import asyncio

    from mop.gateway.serve import keep_what_is_loaded
    from mop.gateway.serve import serve_release as serve

    keep_what_is_loaded()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def listening(address: str) -> None:
        print(address, flush=True)
        say("serving until interrupted (Ctrl-C); /ready tells when what is live answers")

    await serve(service, host=host, port=port, stop=stop, listening=listening)
