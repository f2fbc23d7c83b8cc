"""The listening socket of a gateway: accepts, and drains at its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from mop.gateway.app import GatewayApp
from mop.serving.front_start import BACKLOG, allow_descriptors
from mop.serving.http_connection import HttpConnection

DRAIN_SECONDS = 30.0
DRAIN_LOOK_SECONDS = 0.02
OTHER_DESCRIPTORS = 2048  # connections to model services


@dataclass
class _ServerState:
    """What a connection asks of uvicorn's server."""

    connections: set[HttpConnection] = field(default_factory=set)


@dataclass
class _ConnectionConfig:
    """What a connection asks of uvicorn's configuration."""

    loaded_app: GatewayApp


@contextlib.asynccontextmanager
async def listening(app: GatewayApp, *, host: str, port: int) -> AsyncIterator[str]:
    """Answer HTTP while the block runs; gives the address. At its end what was received is answered first.

    Args:
        app: what answers.
        host: address to bind to.
        port: 0 takes any free one.
    """
    allow_descriptors(2 * app.max_connections + OTHER_DESCRIPTORS)
    state, config = _ServerState(), _ConnectionConfig(app)
    loop = asyncio.get_running_loop()

    def accept() -> HttpConnection:
        # the names are uvicorn's; what is asked of them stands above
        given: tuple[Any, Any] = (config, state)
        return HttpConnection(*given, {}, loop)

    server = await loop.create_server(accept, host, port, backlog=BACKLOG)
    try:
        bound = server.sockets[0].getsockname()
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        yield f"http://{shown}:{bound[1]}"
    finally:
        server.close()
        await _drain(state)


async def _drain(state: _ServerState) -> None:
    for connection in list(state.connections):
        connection.shutdown()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while state.connections:  # noqa: ASYNC110 - once, at the end
                await asyncio.sleep(DRAIN_LOOK_SECONDS)
