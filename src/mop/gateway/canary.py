"""Whether a canary may go on: its errors and its latency against those of what is live, over the last minutes.

A canary breaks its gate when, among the answers of the last WINDOW_SECONDS of this gateway,

- at least FAILURES_MIN of its answers failed, and their share is more than `errors` per cent above that of what is
  live;
- or it gave at least ANSWERS_MIN answers, as did what is live, and its P95 latency is more than `latency` times, and
  SLOWER_SECONDS longer than, that of what is live.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 300.0
ANSWERS_MAX = 5000
FAILURES_MIN = 5
ANSWERS_MIN = 50
SLOWER_SECONDS = 0.005
LOOK_ANSWERS = 20  # latencies are sorted once in so many answers


@dataclass(frozen=True)
class CanaryLimits:
    """What a canary may be worse by.

    Attributes:
        errors: per cent of failed answers beyond those of what is live.
        latency: times the P95 latency of what is live.
    """

    errors: float
    latency: float


class CanaryGate:
    """Judges one canary."""

    def __init__(self, limits: CanaryLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._canary = _Side(clock)
        self._live = _Side(clock)

    def observe(self, *, is_canary: bool, seconds: float, failed: bool) -> str:
        """Take an answer into account; gives why the canary must end, empty while it may go on."""
        side = self._canary if is_canary else self._live
        side.add(seconds, failed=failed)
        if not is_canary:
            return ""
        return self._too_many_failures() if failed else self._too_slow()

    def _too_many_failures(self) -> str:
        failures, share, live = self._canary.failures, self._canary.failed_share(), self._live.failed_share()
        if failures < FAILURES_MIN or 100 * (share - live) <= self._limits.errors:
            return ""
        return (
            f"{failures} of its last {self._canary.count} answers failed ({share:.1%}; {live:.1%} of those of what is "
            f"live); {self._limits.errors:g} % more are allowed"
        )

    def _too_slow(self) -> str:
        if self._canary.count % LOOK_ANSWERS or min(self._canary.count, self._live.count) < ANSWERS_MIN:
            return ""
        canary, live = self._canary.p95(), self._live.p95()
        if canary <= max(self._limits.latency * live, live + SLOWER_SECONDS):
            return ""
        return (
            f"its P95 latency is {canary * 1000:.1f} ms, that of what is live {live * 1000:.1f} ms; "
            f"{self._limits.latency:g} times that is allowed"
        )


class _Side:
    """The last answers of one side."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._answers: deque[tuple[float, float, bool]] = deque()
        self.failures = 0

    def add(self, seconds: float, *, failed: bool) -> None:
        now = self._clock()
        self._answers.append((now, seconds, failed))
        self.failures += failed
        while len(self._answers) > ANSWERS_MAX or self._answers[0][0] < now - WINDOW_SECONDS:
            self.failures -= self._answers.popleft()[2]

    @property
    def count(self) -> int:
        return len(self._answers)

    def failed_share(self) -> float:
        return self.failures / len(self._answers) if self._answers else 0.0

    def p95(self) -> float:
        times = sorted(seconds for _, seconds, _ in self._answers)
        return times[int(0.95 * (len(times) - 1))]
