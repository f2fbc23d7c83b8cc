"""Writing a revision's logs while work goes on, in batches."""

from __future__ import annotations

import asyncio
import re
import uuid
from types import TracebackType
from typing import Self

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from mop.engine.database import in_database
from mop.engine.fence import hold_fence
from mop.onboarding.models import LogKind, LogLine

FLUSH_SECONDS = 0.3
LINE_CHARACTERS_MAX = 4000
STORE_TRIES = 10  # of lines whose numbers another writer took meanwhile
# control characters and unpaired surrogates: PostgreSQL refuses NUL, terminals obey escapes
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class LogWriter:
    """Takes lines at once, stores them every moment and at the end; keeps at most `lines_max` a log."""

    def __init__(self, revision_id: uuid.UUID, kind: LogKind, *, lines_max: int) -> None:
        self._revision_id = revision_id
        self._kind = kind
        self._lines_max = lines_max
        self._prefix = ""
        self._pending: list[LogLine] = []
        self._number = 0
        self._flushing = asyncio.Lock()
        self._flusher: asyncio.Task[None] | None = None

    def __call__(self, line: str) -> None:
        """Take one line; a carriage return keeps what a terminal would show last."""
        if self._number >= self._lines_max:
            return
        self._number += 1
        shown = _UNPRINTABLE.sub("", line.rstrip("\r\n").rpartition("\r")[2])
        text = f"{self._prefix}{shown}"[:LINE_CHARACTERS_MAX]
        if self._number == self._lines_max:
            text = f"... the log ends here: {self._lines_max} lines are kept"
        self._pending.append(
            LogLine(revision_id=self._revision_id, kind=self._kind, number=self._number, at=timezone.now(), text=text)
        )

    async def __aenter__(self) -> Self:
        """Go on after the last line that stands: a step may run again after a crash."""
        self._number = await in_database(self._last_number)()
        self._flusher = asyncio.create_task(self._flush_always())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Store what is left."""
        if self._flusher is not None:
            self._flusher.cancel()
        await asyncio.shield(self._flush())

    async def _flush_always(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await asyncio.shield(self._flush())

    async def _flush(self) -> None:
        """Store what is pending; one after the other, so that the last waits for one that was left alone."""
        async with self._flushing:
            lines, self._pending = self._pending, []
            if lines:
                await in_database(self._store)(lines)

    def _store(self, lines: list[LogLine]) -> None:
        _store(lines)

    def _last_number(self) -> int:
        lines = LogLine.objects.filter(revision_id=self._revision_id, kind=self._kind)
        return lines.aggregate(last=Max("number"))["last"] or 0


def _store(lines: list[LogLine]) -> bool:
    """Store lines; False when a line of one of their numbers stands, or the revision was deleted."""
    try:
        with transaction.atomic():
            hold_fence()
            LogLine.objects.bulk_create(lines)
    except IntegrityError:
        # who writes alone wrote these lines: the answer to an earlier try was lost
        return False
    return True


class SharedLogWriter(LogWriter):
    """Adds to a log that others may write at the same time: the load tests of a revision run on several hosts.

    A line gets its number when it is stored, so that those of several writers take turns. Each writer keeps at most
    `lines_max` lines of its own, whatever the log holds.

    Args:
        prefix: stands in front of each line and tells the writers apart.
    """

    def __init__(self, revision_id: uuid.UUID, kind: LogKind, *, lines_max: int, prefix: str) -> None:
        super().__init__(revision_id, kind, lines_max=lines_max)
        self._prefix = prefix

    def _last_number(self) -> int:
        return 0

    def _store(self, lines: list[LogLine]) -> None:
        for _ in range(STORE_TRIES):
            last = super()._last_number()
            for number, line in enumerate(lines, last + 1):
                line.number = number
            if _store(lines):
                return
