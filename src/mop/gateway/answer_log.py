"""The record of answers, written some times a second: no request waits for the database.

A gateway that is killed loses the records of its last half second; their answers carry ids that nothing is known of.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection
from django.utils import timezone

from mop.engine.database import in_database
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.models import Answer

FLUSH_SECONDS = 0.5
WAITING_MAX = 50_000
AT_ONCE = 1000

_META = Answer._meta  # noqa: SLF001 - Django documents it
_FIELDS = [field for field in _META.concrete_fields if not field.primary_key]  # in the order of `_Row`
_INSERT = (
    f"INSERT INTO {_META.db_table} ({', '.join(str(field.column) for field in _FIELDS)}) "  # noqa: S608 - constants
    f"VALUES ({', '.join('%s' for _ in _FIELDS)}) ON CONFLICT DO NOTHING"
)
_Row = tuple[uuid.UUID, int, dt.datetime, str, int, float, Mapping[str, Mapping[str, Any]]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answered:
    """One answer, without anything of its request."""

    request_id: uuid.UUID
    kind: str
    status: int
    milliseconds: float
    findings: Mapping[str, Mapping[str, Any]]


class AnswerLog:
    """Keeps what was answered; used as a context, it writes in the background and once more at its end."""

    def __init__(self, service_id: int, metrics: GatewayMetrics) -> None:
        self._service_id = service_id
        self._metrics = metrics
        self._waiting: list[_Row] = []

    def add(self, answered: Answered) -> None:
        """Keep it with the next ones. Far too many that wait, while the database is away, are counted and dropped."""
        if len(self._waiting) >= WAITING_MAX:
            self._metrics.records_lost += 1
            return
        self._waiting.append(
            (
                answered.request_id,
                self._service_id,
                timezone.now(),
                answered.kind,
                answered.status,
                round(answered.milliseconds, 3),
                answered.findings,
            )
        )

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Write while the block runs, and what is left when it ends."""
        ended = asyncio.Event()
        task = asyncio.create_task(self._write_until(ended))
        try:
            yield
        finally:
            ended.set()
            await task

    async def _write_until(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await ended.wait()
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; what the database does not take is tried again next time."""
        while self._waiting:
            rows, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            try:
                await in_database(_insert)(rows)
            except DatabaseError as error:
                logger.warning("records of %d answers wait: %s", len(rows), type(error).__name__)
                self._waiting = rows + self._waiting
                return


def _insert(rows: Sequence[_Row]) -> None:
    """Write rows; those that are there already stay, since what fails may have been written.

    Not by bulk_create: making and reading objects of Django's would be half of what the gateway does for a request.
    """
    prepared = [
        [field.get_db_prep_save(value, connection) for field, value in zip(_FIELDS, row, strict=True)] for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, prepared)
