"""Work whose enqueue was lost (the engine's database did not answer at the commit) is enqueued again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.utils import timezone

from mop.areas.references import Ref
from mop.areas.registry import registered

GRACE = dt.timedelta(seconds=5)

R = TypeVar("R")


@dataclass(frozen=True)
class Job(Generic[R]):
    """One kind of durable work.

    Attributes:
        waiting: rows whose work waits since before a moment, so that its enqueue may have been lost.
        enqueue: puts the work of a row on its queue; doing it twice is harmless.
    """

    waiting: Callable[[dt.datetime], Iterable[R]]
    enqueue: Callable[[R], object]


def sweep_lost_enqueues() -> int:
    """Enqueue what waits since before the grace time; the engine attaches to work that it already has.

    Returns:
        How many rows were looked at.
    """
    before = timezone.now() - GRACE
    count = 0
    jobs: list[Ref[Job[Any]]] = [job for area in registered() for job in area.jobs]
    for job in (reference.load() for reference in jobs):
        for row in job.waiting(before):
            job.enqueue(row)
            count += 1
    return count
