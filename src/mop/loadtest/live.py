"""The numbers of the step that runs, on their way from the generator to those who look."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from dataclasses import replace
from types import TracebackType
from typing import Self

from django.db import DatabaseError

from mop.engine.database import in_database
from mop.loadtest.jobs import store_progress
from mop.loadtest.results import Progress, StepResult

STORE_SECONDS = 0.5

logger = logging.getLogger(__name__)


class LiveNumbers:
    """A listener of `generate` that stores what it last heard every moment, and what is waited for.

    Attributes:
        place: number of the step that runs, from 1, and how many there are at most.
    """

    def __init__(self, test_id: uuid.UUID) -> None:
        self.place = (1, 1)
        self._test_id = test_id
        self._progress: Progress | None = None
        self._note = ""
        self._changed = asyncio.Event()
        self._storing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to store."""
        self._storing = asyncio.create_task(self._store_always())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Store no more: what comes after is a result."""
        if self._storing is not None:
            self._storing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._storing

    def say(self, note: str) -> None:
        """What goes on besides measuring; a text for people."""
        self._note, self._progress = note, None
        self._changed.set()

    def progress(self, progress: Progress) -> None:
        """A step goes on."""
        number, steps = self.place
        self._note, self._progress = "", replace(progress, step=number, steps=steps)
        self._changed.set()

    def step(self, result: StepResult) -> None:
        """A step ended; its row tells more."""
        self.say(f"keeps the step at {result.target}")

    async def _store_always(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await in_database(store_progress)(self._test_id, self._progress, self._note)
            except DatabaseError as error:
                # what is shown grows old for a moment; what is measured is not worth less for it
                logger.warning("live numbers of load test %s: %s", self._test_id, str(error).strip())
            await asyncio.sleep(STORE_SECONDS)
