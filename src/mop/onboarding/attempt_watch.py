"""Ends the steps of work that is over: attempts (and load tests) that were cancelled, deleted, or begun anew.

The engine looks for cancelled work once a second, and knows nothing of rows that are gone. This watch reads MOP's own
rows, where the truth lies, several times a second, and with one query for all steps that this process runs.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import DatabaseError

from mop.errors import StaleAttemptError
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus

LOOK_SECONDS = 0.3

_T = TypeVar("_T")

logger = logging.getLogger(__name__)


class AttemptWatch:
    """The steps that run in this process, each with its attempt.

    Args:
        wanted: of the ids that it is given, each one's attempt that is still worked on.
    """

    def __init__(self, wanted: Callable[[Iterable[str]], set[tuple[str, int]]] | None = None) -> None:
        self._wanted = wanted or wanted_attempts
        self._running: dict[asyncio.Task[Any], tuple[str, int]] = {}
        self._ended: set[asyncio.Task[Any]] = set()
        self._looking: asyncio.Task[None] | None = None

    async def run(self, owner_id: str, attempt: int, work: Coroutine[Any, Any, _T]) -> _T:
        """What `work` returns; it is cancelled, and waited for, as soon as the attempt is over.

        Raises:
            StaleAttemptError: the attempt was over before `work` ended.
        """
        task = asyncio.create_task(work)
        self._running[task] = (owner_id, attempt)
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
            raise StaleAttemptError(f"attempt {attempt} of {owner_id} is over")
        return task.result()

    def _look(self) -> None:
        """Look as long as anything runs, as nobody's step: in an empty context."""
        if self._looking is None or self._looking.done():
            self._looking = contextvars.Context().run(asyncio.create_task, self._look_always())

    async def _look_always(self) -> None:
        while self._running:
            await asyncio.sleep(LOOK_SECONDS)
            seen = dict(self._running)
            try:
                wanted = await sync_to_async(self._wanted)({owner_id for owner_id, _ in seen.values()})
            except DatabaseError as error:
                # the steps themselves find out and say so; the next look comes in a moment
                logger.warning("could not look for attempts that are over: %s", str(error).strip())
                continue
            for task, attempt in seen.items():
                if attempt not in wanted and task in self._running and task not in self._ended:
                    self._ended.add(task)
                    task.cancel()


def wanted_attempts(revision_ids: Iterable[str]) -> set[tuple[str, int]]:
    """Of these revisions, each one's attempt that the pipeline still works on."""
    rows = Revision.objects.filter(pk__in=list(revision_ids)).values_list("pk", "attempt", "status")
    return {(str(pk), attempt) for pk, attempt, status in rows if not RevisionStatus(status).is_final}
