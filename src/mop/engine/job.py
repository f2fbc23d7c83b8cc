"""Jobs: how the durable work of a row is put on its queue and taken off it, also when the enqueue was lost.

    PARCEL_JOB = Job(
        workflow="parcels.pack",
        workflow_id=lambda parcel: f"parcel:{parcel.pk}",
        queue=lambda parcel: parcel.queue,
        args=lambda parcel: (str(parcel.pk),),
        waiting=PARCEL.waiting,
        release=PARCEL.release,
    )

A service calls `PARCEL_JOB.start(parcel)` in the transaction that makes the row, and `stop` in the one that cancels or
deletes it.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.utils import timezone

from mop.areas.references import Ref
from mop.areas.registry import registered
from mop.engine.client import cancel, enqueue

GRACE = dt.timedelta(seconds=5)


R = TypeVar("R")


@dataclass(frozen=True)
class Job(Generic[R]):
    """One kind of durable work.

    Attributes:
        workflow: the declared name of its workflow.
        workflow_id: the engine's name of the work of a row: the same as long as it is the same work, however often it
            is enqueued; empty when there is none.
        queue: on which the work of a row waits for a host.
        args: what the workflow is called with.
        waiting: rows whose work waits since before a moment, so that its enqueue may have been lost.
        priority: of the work on its queue, lower goes first; None where the order of arrival decides.
        release: called with the name of a host that was lost: what it worked on waits for another. None where rows do
            not say which host works on them.
    """

    workflow: str
    workflow_id: Callable[[R], str]
    queue: Callable[[R], str]
    args: Callable[[R], tuple[Any, ...]]
    waiting: Callable[[dt.datetime], Iterable[R]]
    release: Callable[[str], None] | None = None
    priority: Callable[[R], int] | None = None

    def start(self, row: R) -> None:
        """Enqueue the work of a row when the transaction commits."""
        transaction.on_commit(functools.partial(self.enqueue, row))

    def stop(self, row: R) -> None:
        """Cancel the work of a row in the engine when the transaction commits."""
        if workflow_id := self.workflow_id(row):
            transaction.on_commit(functools.partial(cancel, workflow_id))

    def enqueue(self, row: R) -> None:
        """Enqueue the work of a row now; doing it twice is harmless."""
        enqueue(
            workflow=self.workflow,
            queue=self.queue(row),
            workflow_id=self.workflow_id(row),
            args=self.args(row),
            priority=self.priority(row) if self.priority else None,
        )


def all_jobs() -> list[Job[Any]]:
    """The jobs of all areas.

    Raises:
        ValueError: a bug: two jobs of one workflow.
    """
    found: dict[str, Job[Any]] = {}
    references: list[Ref[Job[Any]]] = [job for area in registered() for job in area.jobs]
    for job in (reference.load() for reference in references):
        if found.setdefault(job.workflow, job) is not job:
            raise ValueError(f"two jobs start the workflow {job.workflow!r}")
    return list(found.values())


def release_host(host: str) -> None:
    """Let the work of all areas that a lost host had taken wait for another."""
    for job in all_jobs():
        if job.release is not None:
            job.release(host)


def sweep_lost_enqueues() -> int:
    """Enqueue what waits since before the grace time: the engine's database may not have answered at the commit.

    The engine attaches to work that it already has.

    Returns:
        How many rows were looked at.
    """
    before = timezone.now() - GRACE
    count = 0
    for job in all_jobs():
        for row in job.waiting(before):
            job.enqueue(row)
            count += 1
    return count
