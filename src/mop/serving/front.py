"""The front of a service: `python -m mop.serving.front`, its configuration as one JSON line on standard input.

Standard input stays open as the lease. Standard output carries a line for each event (JSON) and each line of the
log (`[source] text`).
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import FrameType

import uvicorn
import uvloop

from mop.serving.app import ServiceApp
from mop.serving.config import ServiceConfig
from mop.serving.dispatcher import Dispatcher
from mop.serving.front_start import BACKLOG, announcement, begin
from mop.serving.http_connection import HttpConnection
from mop.serving.lease import LeasePipe, LineWriter
from mop.serving.metrics import Metrics
from mop.serving.service_log import ServiceLog


def main() -> None:
    """Run until the owner ends, the lease runs out or SIGTERM comes."""
    config = begin()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(config))


async def serve(config: ServiceConfig) -> None:
    """Boot the model processes and answer HTTP; returns when everything is stopped and reaped."""
    writer = LineWriter(1)
    log = ServiceLog(config.log_path, config.max_log_bytes, writer.write)
    metrics = Metrics()
    dispatcher = Dispatcher(config, log, metrics)
    server = FrontServer(_uvicorn_config(config, ServiceApp(config, dispatcher, metrics)), writer)

    def lease_ended(reason: str) -> None:
        log.write("front", f"the service stops: {reason}")
        server.abort()

    LeasePipe(0, config.lease_ttl_s, lease_ended)
    dispatcher.pool.start()
    stopping = asyncio.get_running_loop().create_task(_stop_processes(server, dispatcher))
    try:
        await server.serve()
    finally:
        server.abort()
        await stopping


async def _stop_processes(server: FrontServer, dispatcher: Dispatcher) -> None:
    """An ended lease kills the model processes at once; a signal lets the requests in flight finish first."""
    await server.aborted.wait()
    await dispatcher.pool.stop()


def _uvicorn_config(config: ServiceConfig, app: ServiceApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # what HttpConnection calls
        uds=str(config.uds) if config.uds else None,
        host=config.host,
        port=config.port or 0,
        http=HttpConnection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=int(config.request_deadline_s) + 1,
    )


class FrontServer(uvicorn.Server):
    """uvicorn without its tick of ten wake-ups a second."""

    def __init__(self, config: uvicorn.Config, writer: LineWriter) -> None:
        super().__init__(config)
        self.aborted = asyncio.Event()
        self._writer = writer
        self._stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def main_loop(self) -> None:
        """Announce the address, then wait for the end."""
        self._make_private()
        self._writer.write(announcement(self._address()))
        await self._stopped.wait()

    def _make_private(self) -> None:
        """Uvicorn lets everybody write to its socket."""
        if self.config.uds:
            Path(self.config.uds).chmod(0o600)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """A signal: drain first; a second one stops at once."""
        self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        if self._stopped.is_set():
            self.abort()
        self._stopped.set()

    def abort(self) -> None:
        """Stop without waiting for requests in flight."""
        self.force_exit = True
        self.should_exit = True
        self._stopped.set()
        self.aborted.set()

    def _address(self) -> str:
        if self.config.uds:
            return f"unix:{self.config.uds}"
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"


if __name__ == "__main__":
    main()
