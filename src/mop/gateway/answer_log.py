"""The record of answers, written some times a second: no request waits for the database.

A gateway that is killed loses the records of its last half second; their answers carry ids that nothing is known of.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from django.db import DatabaseError, connection

from mop.engine.database import in_database
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.models import Answer

FLUSH_SECONDS = 0.5
WAITING_MAX = 50_000
AT_ONCE = 1000

_META = Answer._meta  # noqa: SLF001 - Django documents it
_FIELDS = [field for field in _META.concrete_fields if not field.primary_key]  # in the order of `_Row`
_Row = tuple[str, int, datetime, str, int, float, Mapping[str, Mapping[str, Any]]]
# SQLite has texts: the fields' own forms of an id and of a time, of those that JSON has
_SQLITE_FORMS = {
    "UUIDField": "replace({0}, '-', '')",
    "DateTimeField": "replace(replace({0}, 'T', ' '), '+00:00', '')",
}

logger = logging.getLogger(__name__)


class Answered(NamedTuple):
    """One answer, without anything of its request."""

    request_id: str
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
        self._flushing = asyncio.Lock()

    def add(self, answered: Answered) -> None:
        """Keep it with the next ones. Far too many that wait, while the database is away, are counted and dropped."""
        if len(self._waiting) >= WAITING_MAX:
            self._metrics.records_lost += 1
            return
        self._waiting.append(
            (
                answered.request_id,
                self._service_id,
                datetime.now(UTC),
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
        """Write what waits, after what is being written; what the database does not take is tried again next time."""
        async with self._flushing:
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

    One statement takes all of them as one JSON, so that the database works on them while this process answers: by
    bulk_create, or one row after the other, records were more than a third of what the gateway does for a request.
    """
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [orjson.dumps(rows).decode()])


def _statement() -> str:
    is_postgresql = connection.vendor == "postgresql"
    values = []
    for place, field in enumerate(_FIELDS):
        kind = field.get_internal_type()
        if is_postgresql:
            part = f"(one -> {place})" if kind == "JSONField" else f"(one ->> {place})"
            values.append(f"{part}::{field.db_type(connection)}")
        else:
            values.append(_SQLITE_FORMS.get(kind, "{0}").format(f"json_extract(value, '$[{place}]')"))
    source = "jsonb_array_elements(%s::jsonb) AS one" if is_postgresql else "json_each(%s)"
    return (
        f"INSERT INTO {_META.db_table} ({', '.join(str(field.column) for field in _FIELDS)}) "  # noqa: S608 - constants
        f"SELECT {', '.join(values)} FROM {source} WHERE true ON CONFLICT DO NOTHING"
    )
