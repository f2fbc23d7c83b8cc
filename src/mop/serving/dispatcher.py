"""The bounded queue between callers and model processes, and the decision what goes where, when."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence

import orjson

from mop.errors import (
    InvalidModelOutputError,
    MopError,
    QueueFullError,
    RequestDeadlineError,
    RequestTooLargeError,
    ServiceNotReadyError,
)
from mop.serving.batch_window import BatchWindow
from mop.serving.calls import Batch, Call
from mop.serving.concurrency_limiter import ConcurrencyLimiter
from mop.serving.config import ServiceConfig
from mop.serving.drain_time import DrainTime
from mop.serving.frames import Answers
from mop.serving.metrics import Metrics
from mop.serving.pool import ProcessPool
from mop.serving.process import ModelProcess, model_error
from mop.serving.service_log import ServiceLog

COMPACT_AFTER = 1000
SHORTEST_TIMER_S = 0.001


class Dispatcher:
    """Takes calls, tells when they are done. Everything runs on the event loop; nothing polls."""

    def __init__(self, config: ServiceConfig, log: ServiceLog, metrics: Metrics) -> None:
        self.receiving = 0
        self.pool = ProcessPool(config, log, metrics, self)
        self._config = config
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[Call, int]] = deque()
        self._waiting = 0
        self._waiting_bytes = 0
        self._window = BatchWindow(config.batch)
        self._drain_time = DrainTime()
        self._limiter = ConcurrencyLimiter(config.workers)
        self._sharing = config.batch.enabled and config.workers > 1
        self._batching = config.batch.enabled
        self._batch_items = config.batch.max_size if self._batching else 1
        self._pump_scheduled = False
        self._flush_timer: asyncio.TimerHandle | None = None
        self._expiry_timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Items in the queue."""
        return self._waiting

    def submit(
        self, bodies: Sequence[bytes | bytearray], form: int, *, listed: bool, on_done: Callable[[Call], None]
    ) -> Call:
        """Queue the items of one request; `on_done` is called once, unless it is abandoned.

        Raises:
            MopError: the service failed, is not up yet, or has no room for them.
        """
        if self.pool.failure is not None:
            raise self.pool.failure
        if not self.pool.started:
            raise ServiceNotReadyError("The model is still being loaded.", hint="Try again in a moment; see /ready.")
        call = Call(bodies, form, listed=listed, on_done=on_done)
        self._check_room(call.waiting, call.waiting_bytes)
        self._queue.extend((call, index) for index in range(len(bodies)))
        self._waiting += call.waiting
        self._waiting_bytes += call.waiting_bytes
        self._window.arrived(call.arrived, len(bodies))
        self._watch_expiry()
        self.capacity_changed()
        return call

    def _check_room(self, count: int, size: int) -> None:
        limit, limit_bytes = self._config.queue_limit, self._config.queue_bytes_limit
        if count > limit or size > limit_bytes:
            raise RequestTooLargeError(
                f"The list has {count} items of {size} bytes; the queue takes {limit} items of {limit_bytes} bytes.",
                hint="Send the items in several requests.",
            )
        if self._waiting + count > limit or self._waiting_bytes + size > limit_bytes:
            raise QueueFullError(f"{self._waiting} items wait already; the limit is {limit}.")

    def retry_after(self) -> int:
        """Seconds after which a caller who found the queue full may find room."""
        parallel = self.pool.ready_count * (1 if self._batching else self._config.threads)
        return self._drain_time.retry_after(
            self._waiting,
            parallel_batches=parallel,
            running=self.pool.longest_work(time.perf_counter()),
            batch=self._batch_items,
            longest=self._longest_wait(),
        )

    def abandon(self, call: Call) -> None:
        """The caller gave up: what still waits is dropped before the model sees it."""
        if call.done:
            return
        for process in self.pool.with_reserve():
            if process.reserve is not None and any(held is call for held, _ in process.reserve.entries):
                self._put_back(process.withdraw_reserve())
                self.capacity_changed()
        call.give_up()
        self._metrics.abandoned += call.waiting
        self._forget(call)

    def _forget(self, call: Call) -> None:
        """Free the places that a finished call's items hold in the queue."""
        if call.waiting:
            self._waiting -= call.waiting
            self._waiting_bytes -= call.waiting_bytes
            call.waiting = call.waiting_bytes = 0
            if len(self._queue) > 2 * self._waiting + COMPACT_AFTER:
                self._queue = deque(entry for entry in self._queue if not entry[0].done)

    def capacity_changed(self) -> None:
        """Look at the queue once all that is readable now was read."""
        if not self._pump_scheduled:
            self._pump_scheduled = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_scheduled = False
        if self._batching:
            self._take_back_for_the_idle()
        while self._waiting and (process := self._next_process()) is not None:
            batch = Batch(self._take(self._share()))
            if batch.entries:
                self._metrics.batch_size.observe(batch.size)
                process.run(batch)

    def _next_process(self) -> ModelProcess | None:
        """Who takes a batch now: a free process; or a busy one a full batch in reserve, which could not grow."""
        process = self.pool.least_loaded()
        if process is not None:
            return None if self._batching and self._hold_back() else process
        if not self._batching or self._waiting < self._batch_items:
            return None
        return self.pool.next_free()

    def _take_back_for_the_idle(self) -> None:
        """While nothing waits, free processes take what stands in reserve behind others' work."""
        if self._waiting == 0:
            for process in self.pool.with_reserve()[: self.pool.free_count]:
                self._put_back(process.withdraw_reserve())

    def _hold_back(self) -> bool:
        """Whether the batch should wait for more; then a timer ends the wait."""
        self._drop_finished()
        if not self._waiting:
            return True
        delay = self._window.delay(
            time.perf_counter(), waiting=self._waiting, first=self._queue[0][0].arrived, receiving=self.receiving
        )
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        delay = delay or self._rest_of_others()
        if delay <= 0:
            return False
        self._flush_timer = self._loop.call_later(max(delay, SHORTEST_TIMER_S), self._pump)
        return True

    def _rest_of_others(self) -> float:
        """Seconds for which what waits is left to those at work; 0 to give it to a further process."""
        if not self._sharing or self._waiting >= self._batch_items:
            return 0.0
        now = time.perf_counter()
        rests = [process.working_since + self._limiter.late - now for process in self.pool.working()]
        rests = [rest for rest in rests if rest > 0]
        return min(rests) if len(rests) >= self._limiter.limit else 0.0

    def _share(self) -> int:
        """Items that the next batch takes: all that fit; or its part, when other processes work on the rest."""
        if not self._sharing or self._waiting >= self._batch_items:
            return self._batch_items
        return min(self._batch_items, self._limiter.share(self._waiting + self.pool.load))

    def _drop_finished(self) -> None:
        while self._queue and self._queue[0][0].done:
            self._queue.popleft()

    def _take(self, count: int) -> list[tuple[Call, int]]:
        entries: list[tuple[Call, int]] = []
        while self._queue and len(entries) < count:
            call, index = self._queue.popleft()
            if call.done:
                continue
            self._count(call, -1, -len(call.bodies[index]))
            entries.append((call, index))
        return entries

    def _count(self, call: Call, items: int, size: int) -> None:
        call.waiting += items
        call.waiting_bytes += size
        self._waiting += items
        self._waiting_bytes += size

    def batch_answered(self, batch: Batch, answers: Answers) -> None:
        """Give each item its answer."""
        if not batch.entries:
            return  # it was withdrawn
        now = time.perf_counter()
        self._window.answered(now, batch.size, now - batch.started)
        self._drain_time.answered(batch.size, now - batch.started)
        if self._sharing:
            waited = sum(now - call.arrived for call, _ in batch.entries)
            present = batch.size + self._waiting + self.pool.load
            self._limiter.answered(batch.size, duration=now - batch.started, waited=waited, present=present)
        for (call, index), (succeeded, body) in zip(batch.entries, answers, strict=True):
            if call.done:
                continue
            try:
                value = orjson.loads(body)
                if succeeded:
                    call.succeed(index, body)
                    continue
                error = model_error(value)
            except ValueError as invalid:
                error = InvalidModelOutputError(f"The output is not strict JSON: {invalid}.")
            self._fail(call, index, self._config.disclosure.of(error))

    def _fail(self, call: Call, index: int, error: MopError) -> None:
        call.fail(index, error)
        self._forget(call)

    def batches_overdue(self, process: ModelProcess) -> None:
        """The oldest batch is the one past the deadline; what merely shared the process with it is run again."""
        oldest, *beside = process.batches.values()
        process.batches.clear()
        seconds = self._config.request_deadline_s
        message = f"The model did not answer within {seconds:g} s; its process was killed and is replaced."
        for call, index in oldest.entries:
            self._fail(call, index, RequestDeadlineError(message))
        self._run_again(beside)

    def batches_lost(self, batches: list[Batch], error: MopError) -> None:
        """Nobody can tell which item killed the process: all that it worked on fail."""
        begun = batches[:1] if self._batching else batches
        for batch in begun:
            for call, index in batch.entries:
                self._fail(call, index, error)
        self._run_again(batches[len(begun) :])

    def _run_again(self, batches: list[Batch]) -> None:
        for batch in batches:
            self._metrics.retried += sum(not call.done for call, _ in batch.entries)
        self._put_back([entry for batch in batches for entry in batch.entries])

    def _put_back(self, entries: list[tuple[Call, int]]) -> None:
        """To the head of the queue, in order."""
        for call, index in reversed(entries):
            if not call.done:
                self._queue.appendleft((call, index))
                self._count(call, 1, len(call.bodies[index]))
        self._watch_expiry()

    def service_failed(self, error: MopError) -> None:
        """Nobody will answer what waits."""
        for call, index in list(self._queue):
            self._fail(call, index, error)
        self._queue.clear()

    def _longest_wait(self) -> float:
        """Twice the deadline: a whole one for the item before, and its process's replacement."""
        return 2 * self._config.request_deadline_s

    def _watch_expiry(self) -> None:
        if self._expiry_timer is None:
            self._expiry_timer = self._loop.call_later(self._longest_wait(), self._expire)

    def _expire(self) -> None:
        """One timer for the head of the queue; the others are younger."""
        self._expiry_timer = None
        limit = self._longest_wait()
        while True:
            self._drop_finished()
            if not self._queue:
                return
            call, index = self._queue[0]
            left = call.arrived + limit - time.perf_counter()
            if left > 0:
                self._expiry_timer = self._loop.call_later(left + SHORTEST_TIMER_S, self._expire)
                return
            message = f"No model process was free for the request within {limit:g} s."
            self._fail(call, index, RequestDeadlineError(message, hint="Send fewer requests at once, or add workers."))
