"""The record of answers, written some times a second: no request waits for the database.

A gateway that is killed loses the records of its last half second; their answers carry ids that nothing is known of.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from mop.engine.database import in_database
from mop.gateway.gateway_metrics import GatewayMetrics
from mop.gateway.models import Answer

FLUSH_SECONDS = 0.5
WAITING_MAX = 50_000
AT_ONCE = 1000

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
        self._waiting: list[Answer] = []

    def add(self, answered: Answered) -> None:
        """Keep it with the next ones. Far too many that wait, while the database is away, are counted and dropped."""
        if len(self._waiting) >= WAITING_MAX:
            self._metrics.records_lost += 1
            return
        self._waiting.append(
            Answer(
                request_id=answered.request_id,
                service_id=self._service_id,
                at=timezone.now(),
                kind=answered.kind,
                status=answered.status,
                milliseconds=round(answered.milliseconds, 3),
                findings=dict(answered.findings),
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
                # an answer was lost, not its rows: writing them again changes nothing
                await in_database(Answer.objects.bulk_create)(rows, ignore_conflicts=True)
            except DatabaseError as error:
                logger.warning("records of %d answers wait: %s", len(rows), type(error).__name__)
                self._waiting = rows + self._waiting
                return
