"""Ends the steps of work that is over: cancelled, deleted, or begun anew in another attempt.

The engine looks for cancelled work once a second, and knows nothing of rows that are gone. This watch reads MOP's own
rows, where the truth lies, several times a second, and with one query for all steps of its kind that this process runs.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Collection, Coroutine
from typing import Any, NamedTuple, TypeVar

from asgiref.sync import sync_to_async
from django.db import DatabaseError

from mop.errors import StaleAttemptError

LOOK_SECONDS = 0.3

_T = TypeVar("_T")

logger = logging.getLogger(__name__)


class Run(NamedTuple):
    """A piece of durable work as its steps know it.

    Attributes:
        id: of its row.
        attempt: which try it is; None where the lifecycle has no attempts.
    """

    id: str
    attempt: int | None = None


class Watch:
    """The steps of one kind of work that run in this process.

    Args:
        name: of the kind, for messages: "revision".
        wanted: of the runs that it is given, those that are still worked on.
        every_seconds: how often it looks.
    """

    def __init__(
        self, name: str, wanted: Callable[[Collection[Run]], Collection[Run]], *, every_seconds: float = LOOK_SECONDS
    ) -> None:
        self._name = name
        self._wanted = wanted
        self._every_seconds = every_seconds
        self._running: dict[asyncio.Task[Any], Run] = {}
        self._ended: set[asyncio.Task[Any]] = set()
        self._looking: asyncio.Task[None] | None = None

    def describe(self, run: Run) -> str:
        attempt = "" if run.attempt is None else f", attempt {run.attempt}"
        return f"{self._name} {run.id}{attempt}"

    async def run(self, run: Run, work: Coroutine[Any, Any, _T]) -> _T:
        """What `work` returns; it is cancelled, and waited for, as soon as the run is over.

        Raises:
            StaleAttemptError: the run was over before `work` ended.
        """
        task = asyncio.create_task(work)
        self._running[task] = run
        self._look()
        try:
            await asyncio.wait({task})  # unlike `await task`, leaves the clean-up of an ended step alone
        except asyncio.CancelledError:
            if task not in self._ended:
                task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            ended = task in self._ended
            self._ended.discard(task)
            del self._running[task]
        if ended and task.cancelled():
            raise StaleAttemptError(f"{self.describe(run)} is over")
        return task.result()

    def _look(self) -> None:
        """Look as long as anything runs, as nobody's step: in an empty context."""
        if self._looking is None or self._looking.done():
            self._looking = contextvars.Context().run(asyncio.create_task, self._look_always())

    async def _look_always(self) -> None:
        while self._running:
            await asyncio.sleep(self._every_seconds)
            seen = dict(self._running)
            try:
                wanted = await sync_to_async(self._wanted)(set(seen.values()))
            except DatabaseError as error:
                # the steps themselves find out and say so; the next look comes in a moment
                logger.warning("could not look for work that is over: %s", str(error).strip())
                continue
            for task, run in seen.items():
                if run not in wanted and task in self._running and task not in self._ended:
                    self._ended.add(task)
                    task.cancel()
