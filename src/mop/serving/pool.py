"""The model processes of a service: booted, chosen by load, replaced when they die, given up after too many deaths.

The pool has the batches from `run` on, until `next_outcome` returns what became of them. It knows nothing of requests
and of the queue before it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from mop.errors import MopError, RequestDeadlineError
from mop.serving.calls import Answered, Batch, Call, Lost, NotBegun, Outcome
from mop.serving.config import ServiceConfig
from mop.serving.frames import Answers, Listed
from mop.serving.metrics import Metrics
from mop.serving.process import ModelProcess
from mop.serving.service_log import ServiceLog

BOOT_WINDOW_S = 600.0
FIRST_BACKOFF_S = 0.25
LONGEST_BACKOFF_S = 30.0


class ProcessPool:
    """`config.workers` slots, each with one living model process at a time.

    Args:
        config: of the service.
        log: of the service.
        metrics: boots, deaths and the sizes of batches are counted there.
        wake: called when there is an outcome, when a process became ready or free, and when the service failed.
    """

    def __init__(self, config: ServiceConfig, log: ServiceLog, metrics: Metrics, wake: Callable[[], None]) -> None:
        self._config = config
        self._log = log
        self._metrics = metrics
        self._wake = wake
        self._batching = config.batch.enabled
        self._living: list[ModelProcess] = []
        self._outcomes: deque[Outcome] = deque()
        self._replaced: deque[float] = deque()
        self._timers: set[asyncio.TimerHandle] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._ready_once = False
        self._stopping = False
        self.failure: MopError | None = None

    def take_over(self) -> None:
        """The service was up before: what dies while it loads is tried again, and requests may wait meanwhile."""
        self._ready_once = True

    def start(self) -> None:
        """Boot every slot."""
        for _ in range(self._config.workers):
            self._boot()

    @property
    def ready(self) -> bool:
        """Whether a model process can answer now, after all slots were up once."""
        return self._ready_once and self.ready_count > 0

    @property
    def started(self) -> bool:
        """Whether all slots were up once; from then on requests may wait for a replacement."""
        return self._ready_once

    @property
    def ready_count(self) -> int:
        """Model processes that loaded the model."""
        return sum(process.ready and not process.ending for process in self._living)

    @property
    def load(self) -> int:
        """Items handed over and not answered."""
        return sum(process.load for process in self._living)

    def longest_work(self, now: float) -> float:
        """Seconds for which the oldest batch has been worked on; `now` is of time.perf_counter()."""
        return max((now - process.working_since for process in self._living if process.batches), default=0.0)

    @property
    def free_count(self) -> int:
        """Processes that can take a batch now."""
        return sum(process.free for process in self._living)

    def working(self) -> list[ModelProcess]:
        """The processes that work on a batch."""
        return [process for process in self._living if process.batches and not process.ending]

    def least_loaded(self) -> ModelProcess | None:
        """The free process with the fewest items."""
        least = None
        for process in self._living:
            if process.free and (least is None or process.load < least.load):
                least = process
        return least

    def next_free(self) -> ModelProcess | None:
        """A process without a reserve, when none is free: the one that has worked longest."""
        busy = [process for process in self._living if process.takes_reserve]
        return min(busy, key=lambda process: process.working_since) if busy else None

    def run(self, process: ModelProcess, batch: Batch) -> None:
        """Hand a batch over."""
        if batch.series_of:
            for size in batch.sizes():
                self._metrics.batch_size.observe(size)
        else:
            self._metrics.batch_size.observe(batch.size)
        process.run(batch)

    def next_outcome(self) -> Outcome | None:
        """What became of a batch; each is returned once."""
        return self._outcomes.popleft() if self._outcomes else None

    def withdraw(self, count: int) -> list[tuple[Call, int]]:
        """Take back so many batches that no process has begun."""
        reserved = [process for process in self._living if process.reserve is not None]
        return [entry for process in reserved[:count] for entry in process.withdraw_reserve()]

    def withdraw_with(self, call: Call) -> list[tuple[Call, int]]:
        """Take back the batches that no process has begun and in which items of this call are."""
        entries = []
        for process in self._living:
            if process.reserve is not None and any(held is call for held, _ in process.reserve.entries):
                entries += process.withdraw_reserve()
        return entries

    async def changed(self) -> None:
        """Wait until a process became ready, ended, or the service failed."""
        event = self._changed
        await event.wait()

    async def stop(self) -> None:
        """Kill and reap everything."""
        self._stopping = True
        for timer in self._timers:
            timer.cancel()
        if self._starting:
            await asyncio.wait(self._starting)
        for process in self._living:
            process.terminate()
        for process in list(self._living):
            await process.ended.wait()

    def process_ready(self, process: ModelProcess) -> None:
        """A slot is up."""
        self._log.write("front", f"{process.name} is ready")
        if self.ready_count == self._config.workers:
            self._ready_once = True
        self._notify()
        self._wake()

    def process_answered(self, process: ModelProcess, batch: Batch, answers: Answers | Listed) -> None:  # noqa: ARG002
        """An outcome; the process is free."""
        if batch.entries:  # it was not withdrawn
            self._outcomes.append(Answered(batch, answers, time.perf_counter()))
        self._wake()

    def process_overdue(self, process: ModelProcess) -> None:
        """Kill it; the replacement boots when it is gone. The oldest batch is the one past the deadline."""
        self._log.write("front", f"{process.name} is past the request deadline and is killed")
        seconds = self._config.request_deadline_s
        message = f"The model did not answer within {seconds:g} s; its process was killed and is replaced."
        self._lose(process, RequestDeadlineError(message), begun=1)
        process.terminate()

    def process_ended(self, process: ModelProcess, error: MopError) -> None:
        """Fill its slot again unless that is hopeless. Nobody can tell which item ended it: all it began are lost."""
        self._metrics.deaths += 1
        self._living.remove(process)
        self._lose(process, error, begun=1 if self._batching else len(process.batches))
        if self._stopping or self.failure is not None:
            return
        if not self._ready_once or self._too_many_replacements():
            self._fail(error)
            return
        delay = self._backoff()
        self._replaced.append(time.monotonic())
        self._notify()
        self._later(delay)

    def _lose(self, process: ModelProcess, error: MopError, *, begun: int) -> None:
        for number, batch in enumerate(process.batches.values()):
            self._outcomes.append(Lost(batch, error) if number < begun else NotBegun(batch))
        process.batches.clear()
        self._wake()

    def _boot(self) -> None:
        if self._stopping or self.failure is not None:
            return
        self._metrics.boots += 1
        process = ModelProcess(f"process-{self._metrics.boots}", self._config, self._log, self)
        self._living.append(process)
        task = asyncio.get_running_loop().create_task(process.start())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    def _later(self, delay: float) -> None:
        def boot() -> None:
            self._timers.discard(timer)
            self._boot()

        timer = asyncio.get_running_loop().call_later(delay, boot)
        self._timers.add(timer)

    def _too_many_replacements(self) -> bool:
        now = time.monotonic()
        while self._replaced and self._replaced[0] < now - BOOT_WINDOW_S:
            self._replaced.popleft()
        return len(self._replaced) >= self._config.max_boots

    def _backoff(self) -> float:
        """The first replacement comes at once; each further one of the last minutes doubles the pause."""
        deaths = len(self._replaced)
        return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** (deaths - 1)) if deaths else 0.0

    def _fail(self, error: MopError) -> None:
        self.failure = error
        self._log.write("front", f"the service failed: {error.name}")
        for process in self._living:
            process.terminate()
        self._notify()
        self._wake()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
