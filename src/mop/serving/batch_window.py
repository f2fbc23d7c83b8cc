"""When to hand a batch over: pure arithmetic on arrivals and answers, driven by the dispatcher.

A batch leaves when it is full; or, while a model process is free, when the idle size is reached or nothing more is
on its way; at the latest when the first waiting item has waited for the maximum interval.

Steady clients that wait for their answer before they ask again would split into two groups that take turns, each
batch half as large as it could be. So callers that were answered a moment ago count as on their way, if callers of
earlier batches came back: for half a batch's duration and the maximum interval at most.
"""

from __future__ import annotations

from mop.serving.config import BatchPolicy

SHORTEST_WINDOW_S = 0.001  # the event loop's timer resolution
RETURNING_SHARE = 0.5
MEMORY = 0.2


class BatchWindow:
    """Times are seconds of one monotonic clock."""

    def __init__(self, policy: BatchPolicy) -> None:
        self._policy = policy
        self._duration = 0.0
        self._share = 0.0
        self._answered = 0
        self._returned = 0
        self._until = 0.0

    def arrived(self, now: float, count: int) -> None:
        """Items came in."""
        if now < self._until:
            self._returned += count

    def answered(self, now: float, count: int, duration: float) -> None:
        """A batch of `count` items took the model `duration` seconds."""
        if now >= self._until:
            self._learn()
            self._answered = self._returned = 0
        self._duration += MEMORY * (duration - self._duration)
        self._answered += count
        window = min(self._policy.max_interval_s, self._duration / 2)
        self._until = now + window if window >= SHORTEST_WINDOW_S else now

    def _learn(self) -> None:
        if self._answered:
            returned = min(1.0, self._returned / self._answered)
            self._share += MEMORY * (returned - self._share)

    def delay(self, now: float, *, waiting: int, first: float, receiving: int) -> float:
        """Seconds until a free model process should take what waits; 0 means now.

        Args:
            now: the time.
            waiting: items in the queue, at least one.
            first: when the oldest of them arrived.
            receiving: requests whose body is still being read.
        """
        if waiting >= self._policy.max_size:
            return 0.0
        if (
            now < self._until
            and self._share >= RETURNING_SHARE
            and self._returned < round(self._share * self._answered)
        ):
            return self._until - now
        if waiting >= self._policy.idle_size or receiving == 0:
            return 0.0
        return max(0.0, first + self._policy.max_interval_s - now)
