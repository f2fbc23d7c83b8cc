"""The database from a worker's asynchronous code: what a short outage interrupts is done again."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# the database ends the session of a worker that is frozen or cut off within a transaction, and with it its locks
IDLE_TRANSACTION_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.5

_P = ParamSpec("_P")
_R = TypeVar("_R")

logger = logging.getLogger(__name__)


def in_database(function: Callable[_P, _R]) -> Callable[_P, Awaitable[_R]]:
    """The function as an awaitable; on PostgreSQL it is called again for a minute while the database does not answer.

    What it does must be safe to do twice: an answer that was lost looks like an outage. SQLite waits for its locks by
    itself, and its other failures do not pass by waiting.
    """

    async def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        patience = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return await sync_to_async(function)(*args, **kwargs)
            except (OperationalError, InterfaceError) as error:
                if connection.vendor != "postgresql" or time.monotonic() > patience:
                    raise
                logger.warning("the database did not answer, trying again: %s", str(error).strip())
            await sync_to_async(close_old_connections)()
            await asyncio.sleep(PAUSE_SECONDS)

    return call


def end_frozen_transactions() -> None:
    """Let PostgreSQL end transactions of this process that stand still; call it before the first connection."""
    connection_created.connect(_limit_idle_transactions)


def _limit_idle_transactions(connection: BaseDatabaseWrapper, **_others: Any) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET idle_in_transaction_session_timeout = {IDLE_TRANSACTION_SECONDS * 1000:.0f}")
