"""Which workers live, and who goes on with the work of one that does not. For PostgreSQL, where there may be many.

Every worker writes a heartbeat into its row by the database's clock. A row whose beat is too old is claimed, under its
lock, by one of the others; from then on the fence refuses what the lost worker writes, and the engine puts its
unfinished work back on the queues. A worker that cannot beat stops itself. docs/engine.md tells the whole story.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from mop.engine import hosts
from mop.engine.clock import DatabaseClock, from_now
from mop.engine.fence import LOST
from mop.engine.models import Worker

WATCH_SECONDS = 0.25
KEPT_SECONDS = 24 * 3600.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pulse:
    """How often a worker beats, and for how long nothing may be heard of it. Seconds."""

    beat: float
    stale: float

    def __post_init__(self) -> None:
        if not 0 < 2 * self.beat <= self.stale:
            raise SystemExit(
                f"MOP_WORKER_STALE_SECONDS ({self.stale:g}) must be at least twice MOP_WORKER_BEAT_SECONDS "
                f"({self.beat:g}): one late beat is no death."
            )


def living_workers(stale_seconds: float) -> QuerySet[Worker]:
    """Workers that were heard of within the time."""
    return Worker.objects.filter(lost_at=None, beat_at__gte=from_now(-stale_seconds))


class Liveness:
    """Keeps one worker process's row alive, and watches those of the others.

    Args:
        name: of the worker, for people.
        lock: names the file lock that this process holds; the process that held it before is dead.
        pulse: the times.
        recover: puts the unfinished work of an executor back on the queues; harmless to do twice.
        release: is told, within the claim's transaction, the name of a worker of which no process lives any more.
        stop: ends this process at once, with a reason; does not return.
    """

    def __init__(
        self,
        *,
        name: str,
        lock: str,
        pulse: Pulse,
        recover: Callable[[str], None],
        release: Callable[[str], None],
        stop: Callable[[str], object],
    ) -> None:
        self.executor_id = f"worker:{name}:{uuid.uuid4()}"
        self._name = name
        self._lock = lock
        self._pulse = pulse
        self._recover = recover
        self._release = release
        self._stop = stop
        self._ended = threading.Event()
        self._wanted = threading.Event()
        self._beaten_at = 0.0
        self._steady_since = 0.0

    def register(self) -> None:
        """Claim the rows of this worker's former lives (their processes are dead, for we hold the lock); make ours."""
        for former in Worker.objects.filter(lock=self._lock, lost_at=None):
            self.claim(Worker.objects.filter(pk=former.pk))
        self._beaten_at = self._steady_since = now()
        Worker.objects.create(
            executor_id=self.executor_id, name=self._name, lock=self._lock, process=hosts.this_process()
        )

    def start_beating(self) -> None:
        """Beat, and stop the process when that fails for too long, in threads of their own."""
        _in_thread(self._beat_always)
        _in_thread(self._watch_always)

    def start_looking(self) -> None:
        """Look after the others in a thread of its own; what they left is recovered by the engine, which must run."""
        _in_thread(self._look_always)

    def end(self) -> None:
        """Stop beating, and hand the work over at once instead of letting others wait."""
        self._ended.set()
        self.claim(Worker.objects.filter(pk=self.executor_id))

    def beat(self) -> None:
        """Write the heartbeat, and learn whether other workers are to be looked after.

        Raises:
            DatabaseError: the database did not answer.
        """
        began = now()
        with connection.cursor() as cursor:
            cursor.execute(*self._beat_and_question)
            found = cursor.fetchone()
        if found is None:
            self._stop(LOST)
            return
        if found[0]:
            self._wanted.set()
        if began - self._beaten_at > self._pulse.stale / 2:
            self._steady_since = began
        self._beaten_at = began

    def look(self) -> None:
        """Claim the workers of which nothing was heard, and put back what claimed workers left.

        Raises:
            DatabaseError: the database did not answer.
        """
        stale, left, old = self._wanting()
        if self._is_steady():
            for row in stale:
                if self.claim(stale.filter(pk=row.pk)):
                    logger.warning("nothing was heard of %s for %g s; its work is taken over", row, self._pulse.stale)
                    hosts.kill_if_here(row.process)
            old.delete()
        for row in left:
            self._recover(row.pk)
            Worker.objects.filter(pk=row.pk).update(recovered_at=DatabaseClock())

    def _wanting(self) -> tuple[QuerySet[Worker], QuerySet[Worker], QuerySet[Worker]]:
        """Workers of which nothing is heard, of which the work is not put back, and that ended long ago."""
        stale = Worker.objects.filter(lost_at=None, beat_at__lt=from_now(-self._pulse.stale))
        # the process that claimed them may have died before it came to recovering
        left = Worker.objects.filter(lost_at__isnull=False, recovered_at=None)
        return stale.exclude(pk=self.executor_id), left, Worker.objects.filter(recovered_at__lt=from_now(-KEPT_SECONDS))

    @cached_property
    def _beat_and_question(self) -> tuple[str, tuple[Any, ...]]:
        """SQL that beats and tells whether there is any of these; no row where this worker was claimed.

        It is asked every second for ever: one statement for both, made once, for to make it takes longer than to ask.
        """
        stale, left, old = self._wanting()
        question, parameters = (stale | left | old).values("pk")[:1].query.sql_with_params()
        clock = (
            "CLOCK_TIMESTAMP()" if connection.vendor == "postgresql" else "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')"
        )
        statement = (
            f"UPDATE engine_worker SET beat_at = {clock} WHERE executor_id = %s AND lost_at IS NULL "  # noqa: S608
            f"RETURNING EXISTS ({question})"
        )
        return statement, (self.executor_id, *parameters)

    def _is_steady(self) -> bool:
        """Whether this worker's own beats come in time, and did for so long that those of the others must have too.

        After an outage of the database every heartbeat looks stale until its worker could beat again.
        """
        moment = now()
        return moment - self._beaten_at <= self._pulse.stale / 2 and moment - self._steady_since >= self._pulse.stale

    @transaction.atomic
    def claim(self, candidate: QuerySet[Worker]) -> bool:
        """Claim a row if it is still as `candidate` says; of several who try one gets it.

        A row that is locked is left for the next look: its worker is writing, or died while it wrote, and then the
        database ends its session soon.
        """
        row = candidate.select_for_update(skip_locked=True).first()
        if row is None or row.lost_at is not None:
            return False
        Worker.objects.filter(pk=row.pk).update(lost_at=DatabaseClock(), taken_by=self.executor_id)
        if not living_workers(self._pulse.stale).filter(name=row.name).exists():
            self._release(row.name)
        return True

    def _beat_always(self) -> None:
        while not self._ended.wait(self._pulse.beat):
            _try(self.beat, "the heartbeat could not be written")

    def _look_always(self) -> None:
        while not self._ended.is_set():
            self._wanted.wait()
            self._wanted.clear()  # before the look: each beat asks again
            _try(self.look, "other workers could not be looked after")

    def _watch_always(self) -> None:
        """A thread of its own: a beat may hang in a connection that leads nowhere."""
        while not self._ended.wait(WATCH_SECONDS):
            silence = now() - self._beaten_at
            if silence > self._pulse.stale:
                self._stop(f"no heartbeat could be written for {silence:.1f} s; others may have taken over by now")


def _try(work: Callable[[], None], failure: str) -> None:
    try:
        work()
    except DatabaseError as error:
        logger.warning("%s, trying again: %s", failure, str(error).strip())
        connection.close()
    except Exception:
        logger.exception("%s, trying again", failure)


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name=f"mop{work.__name__}", daemon=True).start()


def recover_unheard(holders: Iterable[str], recover: Callable[[str], None]) -> None:
    """Put back the work of executors that are no living worker: it was taken by one that was already lost.

    Args:
        holders: executors that hold unfinished work, read before this call.
        recover: puts the unfinished work of an executor back on the queues.
    """
    known = set(Worker.objects.filter(lost_at=None).values_list("pk", flat=True))
    for executor_id in sorted(set(holders) - known):
        logger.warning("the work of %s, which is no living worker, goes back on its queue", executor_id)
        recover(executor_id)


def now() -> float:
    """Seconds of a clock that goes on while the process, or the whole machine, is frozen."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
