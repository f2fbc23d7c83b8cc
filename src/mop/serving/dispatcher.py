"""The bounded queue between callers and model processes, and the decision what goes where, when."""

from __future__ import annotations

import asyncio
import time
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
from mop.serving.calls import Answered, Batch, Call, Lost, NotBegun, Outcome
from mop.serving.concurrency_limiter import ConcurrencyLimiter
from mop.serving.config import ServiceConfig
from mop.serving.drain_time import DrainTime
from mop.serving.frames import Listed
from mop.serving.metrics import Metrics
from mop.serving.pool import ProcessPool
from mop.serving.process import ModelProcess, model_error
from mop.serving.service_log import ServiceLog
from mop.serving.waiting_items import WaitingItems

SHORTEST_TIMER_S = 0.001
SERIES_S = 0.015  # others wait for a series this much longer than for a batch
SERIES_ITEMS = 4096
SERIES_BYTES = 1 << 17  # the channel takes so many at once: of more the process would wait for the rest


class Dispatcher:
    """Takes calls, tells when they are done. Everything runs on the event loop; nothing polls."""

    def __init__(self, config: ServiceConfig, log: ServiceLog, metrics: Metrics) -> None:
        self.receiving = 0
        self.pool = ProcessPool(config, log, metrics, self._on_change)
        self._config = config
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._queue = WaitingItems()
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
        return self._queue.count

    def submit(
        self,
        bodies: Sequence[bytes | bytearray],
        form: int,
        *,
        listed: bool,
        on_done: Callable[[Call], None],
        in_series: bool = False,
    ) -> Call:
        """Queue the items of one request; `on_done` is called once, unless it is abandoned.

        Args:
            bodies: the items.
            form: of them.
            listed: whether they came as a list.
            on_done: is told.
            in_series: whether several batches of them may go to a model process at once, where that is fast.

        Raises:
            MopError: the service failed, is not up yet, or has no room for them.
        """
        if self.pool.failure is not None:
            raise self.pool.failure
        if not self.pool.started:
            raise ServiceNotReadyError("The model is still being loaded.", hint="Try again in a moment; see /ready.")
        size = sum(map(len, bodies))
        self._check_room(len(bodies), size)
        call = Call(bodies, form, listed=listed, on_done=on_done, in_series=in_series)
        self._queue.add(call, size)
        self._window.arrived(call.arrived, len(bodies))
        self._watch_expiry()
        self._wake()
        return call

    def _check_room(self, count: int, size: int) -> None:
        limit, limit_bytes = self._config.queue_limit, self._config.queue_bytes_limit
        if count > limit or size > limit_bytes:
            raise RequestTooLargeError(
                f"The list has {count} items of {size} bytes; the queue takes {limit} items of {limit_bytes} bytes.",
                hint="Send the items in several requests.",
            )
        if self._queue.count + count > limit or self._queue.size + size > limit_bytes:
            raise QueueFullError(f"{self._queue.count} items wait already; the limit is {limit}.")

    def retry_after(self) -> int:
        """Seconds after which a caller who found the queue full may find room."""
        parallel = self.pool.ready_count * (1 if self._batching else self._config.threads)
        return self._drain_time.retry_after(
            self._queue.count,
            parallel_batches=parallel,
            running=self.pool.longest_work(time.perf_counter()),
            batch=self._batch_items,
            longest=self._longest_wait(),
        )

    def abandon(self, call: Call) -> None:
        """The caller gave up: what still waits is dropped before the model sees it."""
        if call.done:
            return
        if entries := self.pool.withdraw_with(call):
            self._put_back(entries)
            self._wake()
        call.give_up()
        self._metrics.abandoned += self._queue.forget(call)

    def _on_change(self) -> None:
        """Answer at once what has its outcome: a turn of the loop later costs a request on its own a tenth more."""
        while (outcome := self.pool.next_outcome()) is not None:
            self._settle(outcome)
        self._wake()

    def _wake(self) -> None:
        """Look at the queue once all that is readable now was read."""
        if not self._pump_scheduled:
            self._pump_scheduled = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_scheduled = False
        if self.pool.failure is not None:
            self._fail_all(self.pool.failure)
            return
        if self._sharing and not self._queue.count:
            self._take_back_for_the_idle()
        while self._queue.count and (process := self._next_process()) is not None:
            batch = self._take_batch()
            if batch.entries:
                self.pool.run(process, batch)

    def _next_process(self) -> ModelProcess | None:
        """Who takes a batch now: a free process; or a busy one a full batch in reserve, which could not grow."""
        process = self.pool.least_loaded()
        if process is not None:
            return None if self._batching and self._hold_back() else process
        if not self._batching or self._queue.count < self._batch_items:
            return None
        return self.pool.next_free()

    def _take_back_for_the_idle(self) -> None:
        """While nothing waits, free processes take what stands in reserve behind others' work."""
        if entries := self.pool.withdraw(self.pool.free_count):
            self._put_back(entries)

    def _hold_back(self) -> bool:
        """Whether the batch should wait for more; then a timer ends the wait."""
        first = self._queue.first()
        if first is None:
            return True
        delay = self._window.delay(
            time.perf_counter(), waiting=self._queue.count, first=first[0].arrived, receiving=self.receiving
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
        if not self._sharing or self._queue.count >= self._batch_items:
            return 0.0
        now = time.perf_counter()
        rests = [process.working_since + self._limiter.late - now for process in self.pool.working()]
        rests = [rest for rest in rests if rest > 0]
        return min(rests) if len(rests) >= self._limiter.limit else 0.0

    def _take_batch(self) -> Batch:
        """What a process gets next: several batches of a list at once, if its caller lets them and they take no time.

        Handing over and answering batch by batch costs a cheap model a tenth of its time.
        """
        if most := self._series_items():
            return Batch(self._queue.take_series(most, SERIES_BYTES), series_of=self._batch_items)
        return Batch(self._queue.take(self._share()))

    def _series_items(self) -> int:
        """Items of the series that can be made of what waits; 0 if none can."""
        first = self._queue.first()
        if first is None or not first[0].in_series or first[0].waiting <= self._batch_items:
            return 0
        if self._sharing or not self._batching:
            return 0
        batch_s = self._batch_items * self._drain_time.item_seconds
        count = int(SERIES_S / batch_s) if batch_s else 1
        return min(count * self._batch_items, SERIES_ITEMS) if count > 1 else 0

    def _share(self) -> int:
        """Items that the next batch takes: all that fit; or its part, when other processes work on the rest."""
        if not self._sharing or self._queue.count >= self._batch_items:
            return self._batch_items
        return min(self._batch_items, self._limiter.share(self._queue.count + self.pool.load))

    def _settle(self, outcome: Outcome) -> None:
        match outcome:
            case Answered():
                self._answer(outcome)
            case Lost(batch, error):
                for call, index in batch.entries:
                    self._fail(call, index, error)
            case NotBegun(batch):
                self._metrics.retried += sum(not call.done for call, _ in batch.entries)
                self._put_back(batch.entries)

    def _answer(self, outcome: Answered) -> None:
        """Give each item its answer."""
        batch, answers, now = outcome
        seconds = now - batch.started
        self._window.answered(now, batch.size, seconds / batch.count)
        self._drain_time.answered(batch.size, seconds)
        if self._sharing:
            waited = sum(now - call.arrived for call, _ in batch.entries)
            present = batch.size + self._queue.count + self.pool.load
            self._limiter.answered(batch.size, duration=seconds, waited=waited, present=present)
        if isinstance(answers, Listed):
            if self._answer_series(batch, answers):
                return
            answers = answers.each()
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

    def _answer_series(self, batch: Batch, listed: Listed) -> bool:
        """Give the call of a series all its outputs at once; False if they are to be read one by one."""
        call, index = batch.entries[0]
        if call.done:
            return True
        try:
            outputs = orjson.loads(listed.outputs)
        except ValueError:
            return False
        if not isinstance(outputs, list) or len(outputs) != batch.size:
            return False
        call.succeed_series(index, batch.size, listed.outputs[1:-1])
        return True

    def _fail(self, call: Call, index: int, error: MopError) -> None:
        call.fail(index, error)
        self._queue.forget(call)

    def _fail_all(self, error: MopError) -> None:
        """Nobody will answer what waits."""
        while (first := self._queue.first()) is not None:
            self._fail(*first, error)

    def _put_back(self, entries: list[tuple[Call, int]]) -> None:
        self._queue.put_back(entries)
        self._watch_expiry()

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
        while (first := self._queue.first()) is not None:
            call, index = first
            left = call.arrived + limit - time.perf_counter()
            if left > 0:
                self._expiry_timer = self._loop.call_later(left + SHORTEST_TIMER_S, self._expire)
                return
            message = f"No model process was free for the request within {limit:g} s."
            self._fail(call, index, RequestDeadlineError(message, hint="Send fewer requests at once, or add workers."))
