"""The model processes of a service: booted, chosen by load, replaced when they die, given up after too many deaths."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol

from mop.errors import MopError
from mop.serving.calls import Batch
from mop.serving.config import ServiceConfig
from mop.serving.frames import Answers
from mop.serving.metrics import Metrics
from mop.serving.process import ModelProcess
from mop.serving.service_log import ServiceLog

BOOT_WINDOW_S = 600.0
FIRST_BACKOFF_S = 0.25
LONGEST_BACKOFF_S = 30.0


class PoolOwner(Protocol):
    """Who uses the model processes."""

    def capacity_changed(self) -> None:
        """A process became ready or free."""

    def batch_answered(self, batch: Batch, answers: Answers) -> None:
        """A batch came back."""

    def batches_overdue(self, process: ModelProcess) -> None:
        """The process is past its deadline and is being killed."""

    def batches_lost(self, batches: list[Batch], error: MopError) -> None:
        """A process died with these."""

    def service_failed(self, error: MopError) -> None:
        """There will be no model process any more."""


class ProcessPool:
    """`config.workers` slots, each with one living model process at a time."""

    def __init__(self, config: ServiceConfig, log: ServiceLog, metrics: Metrics, owner: PoolOwner) -> None:
        self._config = config
        self._log = log
        self._metrics = metrics
        self._owner = owner
        self._living: list[ModelProcess] = []
        self._boots = 0
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
        free = [process for process in self._living if process.free]
        return min(free, key=lambda process: process.load) if free else None

    def next_free(self) -> ModelProcess | None:
        """A process without a reserve, when none is free: the one that has worked longest."""
        busy = [process for process in self._living if process.takes_reserve]
        return min(busy, key=lambda process: process.working_since) if busy else None

    def with_reserve(self) -> list[ModelProcess]:
        """The processes that hold a batch which they did not begin."""
        return [process for process in self._living if process.reserve is not None]

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
        self._owner.capacity_changed()

    def process_answered(self, process: ModelProcess, batch: Batch, answers: Answers) -> None:  # noqa: ARG002
        """Hand the answers on."""
        self._owner.batch_answered(batch, answers)
        self._owner.capacity_changed()

    def process_overdue(self, process: ModelProcess) -> None:
        """Kill it; the replacement boots when it is gone."""
        self._log.write("front", f"{process.name} is past the request deadline and is killed")
        self._owner.batches_overdue(process)
        process.terminate()

    def process_ended(self, process: ModelProcess, error: MopError) -> None:
        """Tell who waited for it, and fill its slot again unless that is hopeless."""
        self._metrics.deaths += 1
        self._living.remove(process)
        batches = list(process.batches.values())
        process.batches.clear()
        self._owner.batches_lost(batches, error)
        if self._stopping or self.failure is not None:
            return
        if not self._ready_once or self._too_many_replacements():
            self._fail(error)
            return
        delay = self._backoff()
        self._replaced.append(time.monotonic())
        self._notify()
        self._later(delay)

    def _boot(self) -> None:
        if self._stopping or self.failure is not None:
            return
        self._boots += 1
        self._metrics.boots += 1
        process = ModelProcess(f"process-{self._boots}", self._config, self._log, self)
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
        self._owner.service_failed(error)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
