"""Dynamic batching for those who run a model by hand: items of concurrent calls go to the model together."""

import os
import threading
import time
from collections import deque
from typing import Any, Callable, Deque, List, Optional, Sequence

_FORKED = threading.Lock()

Outcome = Any
"""What the model made of an item: its output, or a `Failure`."""


class PredictTimeoutError(TimeoutError):
    """The model did not answer in time; what still waited was dropped before the model saw it."""

    status_code = 504


class Failure:
    """Why an item has no output.

    Attributes:
        error: what is raised to its caller.
    """

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Call:
    """One caller and its items; `abandoned` once nobody waits any more."""

    def __init__(self, count: int) -> None:
        self.arrived = time.monotonic()
        self.abandoned = False
        self.outcomes: List[Outcome] = [None] * count
        self.left = count
        self.done = threading.Event()

    def take(self, index: int, outcome: Outcome) -> None:
        self.outcomes[index] = outcome
        self.left -= 1
        if self.left == 0 or isinstance(outcome, Failure):
            self.done.set()


class _Entry:
    """One item in the queue."""

    def __init__(self, call: _Call, index: int, item: Any) -> None:
        self.call = call
        self.index = index
        self.item = item


class Batcher:
    """Hands items to the model in batches, from one thread.

    A batch leaves when it is full, when the idle size is reached, or when its first item has waited for the maximum
    interval. While nothing waits, the thread sleeps without waking.
    """

    def __init__(
        self,
        run: Callable[[List[Any]], Sequence[Outcome]],
        *,
        max_size: int,
        idle_size: int,
        max_interval: float,
    ) -> None:
        """Start nothing yet: the thread starts with the first call, also in a process that was forked later.

        Args:
            run: gives one outcome per item, in order, and does not raise.
            max_size: items in a batch at most.
            idle_size: items that are enough while nothing more waits.
            max_interval: seconds that the first item of a batch waits at most.
        """
        self._run = run
        self._max_size = max_size
        self._idle_size = idle_size
        self._max_interval = max_interval
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._closed = False
        self._thread: Optional[threading.Thread] = None
        self._queue: Deque[_Entry] = deque()
        self._changed = threading.Condition()

    def predict(self, items: Sequence[Any], timeout: float) -> List[Any]:
        """The outputs of the items, in order.

        Raises:
            PredictTimeoutError: not all were there within `timeout` seconds.
            BaseException: what the first item that failed raised.
        """
        with _FORKED:
            if self._process != os.getpid():  # threads do not survive a fork, nor may what they held
                self._reset()
        call = _Call(len(items))
        if not items:
            return []
        with self._changed:
            self._queue.extend(_Entry(call, index, item) for index, item in enumerate(items))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="mop-batches", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        try:
            answered = call.done.wait(timeout)
        finally:
            call.abandoned = True
        failed = next((one for one in call.outcomes if isinstance(one, Failure)), None)
        if failed is not None:
            raise failed.error
        if not answered:
            raise PredictTimeoutError("The model did not answer within %g s." % timeout)
        return call.outcomes

    def close(self) -> None:
        """Let the thread end once nothing waits; a later call starts it again."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _serve(self) -> None:
        while True:
            entries = self._next_batch()
            if not entries:
                return
            outcomes = self._run([entry.item for entry in entries])
            for entry, outcome in zip(entries, outcomes):  # noqa: B905 - Python 3.8 has no strict=
                entry.call.take(entry.index, outcome)

    def _next_batch(self) -> List[_Entry]:
        """Wait for the next batch; empty when closed."""
        with self._changed:
            while True:
                self._drop_abandoned()
                if self._queue:
                    left = self._queue[0].call.arrived + self._max_interval - time.monotonic()
                    if len(self._queue) >= self._idle_size or left <= 0 or self._closed:
                        return [self._queue.popleft() for _ in range(min(self._max_size, len(self._queue)))]
                    self._changed.wait(left)
                elif self._closed:
                    self._thread = None
                    return []
                else:
                    self._changed.wait()

    def _drop_abandoned(self) -> None:
        if any(entry.call.abandoned for entry in self._queue):
            self._queue = deque(entry for entry in self._queue if not entry.call.abandoned)
