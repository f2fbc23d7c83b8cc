"""One gateway: listening socket, shared state that is read again every second, and the record of answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

from django.db import DatabaseError

from mop.gateway.answer_log import AnswerLog
from mop.gateway.app import GatewayApp
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.live_models import LiveModels
from mop.gateway.management import Management
from mop.gateway.server import listening
from mop.gateway.shared_state import SharedState
from mop.releases.models import Service

REFRESH_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gateway:
    """A gateway that listens.

    Attributes:
        address: `http://host:port`.
        shared: what it knows of keys, blocklists and containers.
    """

    address: str
    shared: SharedState


@contextlib.asynccontextmanager
async def open_gateway(
    service: Service, models: LiveModels, metrics: GatewayMetrics, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Gateway]:
    """Serve while the block runs; at its end what was received is answered first.

    Args:
        service: whose callers are answered.
        models: what is live of it.
        metrics: of this process.
        host: address to bind to.
        port: 0 takes any free one.
    """
    shared, log = SharedState(service.pk), AnswerLog(service.pk, metrics)
    await shared.refresh()
    app = GatewayApp(
        service=service.name,
        models=models,
        shared=shared,
        management=Management(service, log),
        log=log,
        metrics=metrics,
    )
    refreshing = asyncio.create_task(_refresh(shared))
    try:
        async with log.writing(), listening(app, host=host, port=port) as address:
            yield Gateway(address, shared)
    finally:
        refreshing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await refreshing


async def _refresh(shared: SharedState) -> None:
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        try:
            await shared.refresh()
        except DatabaseError as error:
            logger.warning("keys and blocklists stay as they were read last: %s", type(error).__name__)
