"""The engine's queue threads sleep until something waits for them, instead of asking ten times a second.

The engine asks the database for work of every queue at a fixed interval. On an idle installation that is all it does,
and new work waits half an interval. Here its threads sleep until they are woken, one queue at a time:

    enqueue in portal, API, worker ── wake(queue) ── socket or NOTIFY ── hear_always() ─┐
    work of a queue ended in this process: a slot is free ──────────────────────────────┼─► QueueWaits.wake(queue)
    work was put back after a crash: every queue ───────────────────────────────────────┘

After a wake a queue is looked at again three times: another worker may have held its lock just then, and the engine
leaves such a queue for the next look. Every queue is looked at every two minutes anyway, and twice a
second while nothing can be heard. These are internals of a pinned engine; tests/engine/test_queue_waits.py holds them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dbos._dbos as engine_module
from dbos import DBOS
from dbos._core import ActiveWorkflowById, ActiveWorkflowEntry
from dbos._queue import queue_thread

from mop.deferred import deferred
from mop.engine.wakes import CHANGES, EVERY_QUEUE, Wakes

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = deferred("psycopg")

THREAD_NAME = "queue-worker-"  # the engine's, in front of the queue's
SAFETY_SECONDS = 120.0
AGAIN_SECONDS = (0.2, 1.0, 5.0)
DEAF_SECONDS = 0.5
LISTEN_AGAIN_SECONDS = 1.0
DRAINED_SECONDS = 0.2  # between two looks at whether work still runs

logger = logging.getLogger(__name__)


@dataclass
class _Sleeper:
    woken: threading.Event = field(default_factory=threading.Event)
    again: list[float] = field(default_factory=list)


class QueueWaits:
    """Stands in for the stop event on which the engine's queue threads wait; each thread has a wait of its own."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._sleepers: dict[str, _Sleeper] = {}
        self._lock = threading.Lock()
        self._deaf = True
        self._threads_ended = threading.Event()
        self._active: ActiveWorkflowById = ActiveWorkflowById()

    def is_set(self) -> bool:
        """Whether the engine stops."""
        return self._stop.is_set()

    def stops_within(self, seconds: float) -> bool:
        """Wait so long for the engine to stop; whether it does."""
        return self._stop.wait(seconds)

    def set(self) -> None:
        """Stop the engine's queue threads."""
        self._stop.set()
        self.wake_all()

    def drain(self, *, but: Collection[str] = ()) -> None:
        """Take no more work, and return when what this process took has ended. To be called after `install`.

        Args:
            but: queues whose work is left where it stands: it waits for work of other queues, which this process takes
                no more, and goes on elsewhere.
        """
        self.set()
        self._threads_ended.wait()  # a thread that looks just now may still begin what it finds
        while self._runs_other_than(but):
            time.sleep(DRAINED_SECONDS)

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until this thread's queue is to be looked at; whether the engine stops.

        The engine's own `timeout` is not longer than one of ours would be, so it counts for nothing.
        """
        del timeout
        sleeper = self._sleeper(threading.current_thread().name.removeprefix(THREAD_NAME))
        now = time.monotonic()
        longest = DEAF_SECONDS if self._deaf else SAFETY_SECONDS
        if sleeper.woken.wait(max(0.0, min([now + longest, *sleeper.again]) - now)):
            sleeper.woken.clear()  # before the look, so that what is enqueued during it wakes again
            sleeper.again = [time.monotonic() + seconds for seconds in AGAIN_SECONDS]
        else:
            now = time.monotonic()
            sleeper.again = [due for due in sleeper.again if due > now]
        return self._stop.is_set()

    def wake(self, queue: str) -> None:
        """Let the thread of a queue look now."""
        if queue == EVERY_QUEUE:
            self.wake_all()
        else:
            self._sleeper(queue).woken.set()

    def wake_all(self) -> None:
        """Let every thread look now, also the one that starts the threads of new queues."""
        with self._lock:
            sleepers = [*self._sleepers.values()]
        for sleeper in sleepers:
            sleeper.woken.set()

    def hear(self, *, deaf: bool) -> None:
        """Note whether wakes of others can be heard; what was sent in between is looked for."""
        self._deaf = deaf
        self.wake_all()

    def install(self, engine: DBOS, *, on_first_work: Callable[[], object]) -> None:
        """Let the queue threads of an engine that is not launched yet wait here.

        Args:
            engine: it.
            on_first_work: called once, in a thread of its own, when this process begins its first work.
        """
        self._active = _ActiveWorkflows(self.wake, on_first_work)
        engine._active_workflows_set = self._active  # noqa: SLF001 - see the top

        def run(stop: threading.Event, dbos: DBOS) -> None:
            stop.set = self.set  # type: ignore[method-assign]  # the engine sets its own event when it stops
            queue_thread(self, dbos)  # type: ignore[arg-type]  # it is_set and waits, nothing else
            self._threads_ended.set()

        engine_module.queue_thread = run  # type: ignore[attr-defined, assignment]
        engine_module.background_jobs_thread = _no_background_jobs  # type: ignore[attr-defined, assignment]

    def _runs_other_than(self, queues: Collection[str]) -> bool:
        """Whether this process works on anything but work of these queues."""
        active = self._active
        with active._lock:  # noqa: SLF001 - see the top
            buckets = [bucket for held in active._m.values() for bucket in held]  # noqa: SLF001 - as above
        return any(bucket is None or bucket[0] not in queues for bucket in buckets)

    def _sleeper(self, name: str) -> _Sleeper:
        with self._lock:
            if name not in self._sleepers:
                self._sleepers[name] = _Sleeper()
                self._sleepers[name].woken.set()  # what was there before is looked for at once
            return self._sleepers[name]


def _no_background_jobs(stop: threading.Event, dbos: DBOS) -> None:
    """Once a second the engine looks for delayed work and for deadlines that passed: MOP's work has neither."""
    del stop, dbos


class _ActiveWorkflows(ActiveWorkflowById):
    """The engine's register of what runs in this process; tells the queue of which a slot became free."""

    def __init__(self, wake: Callable[[str], object], on_first_work: Callable[[], object]) -> None:
        super().__init__()
        self._wake = wake
        self._first = threading.Thread(target=on_first_work, name="mop-first-work", daemon=True)
        self._begin = threading.Lock()  # taken by the first, for good

    def add(
        self, key: str, queue_name: str | None = None, queue_partition_key: str | None = None
    ) -> ActiveWorkflowEntry:
        """Note what begins."""
        if self._begin.acquire(blocking=False):
            self._first.start()
        return super().add(key, queue_name, queue_partition_key)

    def _remove(self, key: str, bucket: tuple[str, str | None] | None) -> None:
        super()._remove(key, bucket)
        if bucket is not None:
            self._wake(bucket[0])


def hear_always(waits: QueueWaits, transport: Wakes, hear: Callable[[str], object]) -> None:
    """Call `hear` with every wake that others send, until the engine stops; the body of a thread."""
    is_known = False
    while not waits.is_set():
        try:
            for name in transport.listen():
                if name:
                    hear(name)
                else:
                    waits.hear(deaf=False)
                    hear(CHANGES)  # what was told before is not known
                    is_known = False
        except (OSError, psycopg.Error) as error:
            if not is_known:
                reason = str(error).strip()
                logger.warning("wakes cannot be heard, queues are looked at twice a second: %s", reason)
            is_known = True
        waits.hear(deaf=True)
        hear(CHANGES)
        waits.stops_within(LISTEN_AGAIN_SECONDS)
