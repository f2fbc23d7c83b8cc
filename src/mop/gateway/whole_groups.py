"""Requests that ask several versions go in groups: the next group when every version answered the one before.

An answer needs all of them. Versions that are quick and slow by turns would tear apart what came together: each gets
what comes next in smaller pieces, and a small batch takes a model nearly as long as a large one. Kept whole, the next
group is what came while the slowest version worked, as in its own queue.

    requests ─► what waits ─► all of it at once, when the group before is answered      ─► every version
                              or a full batch waits, which cannot become more whole
                              or the first has waited for twice as long as groups take
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable

from mop.gateway.live_models import Model, Routing
from mop.serving.batch_window import BatchWindow
from mop.serving.config import BatchPolicy

HELD_SECONDS_MAX = 0.25
HELD_GROUPS = 2.0  # of the time that groups take: a version that hangs holds nothing back for longer
MEMORY = 0.2
SHORTEST_TIMER_S = 0.001

Models = frozenset[Model]


class WholeGroups:
    """The groups of every set of versions that is asked together."""

    def __init__(self) -> None:
        self._lines: dict[Models, _Line] = {}
        self._routing: Routing | None = None

    def enter(self, models: Models, routing: Routing, go: Callable[[], None]) -> Callable[[], None]:
        """Wait for the turn of a request to these models.

        Args:
            models: that it asks.
            routing: in which they are: what was counted for another is forgotten.
            go: called when its turn came, perhaps at once.

        Returns:
            What is to be called once, when the request is answered or given up, before its turn too.
        """
        together = min(model.together for model in models)
        if len(models) == 1 or together == 1:
            go()
            return _nothing
        if routing is not self._routing:
            self._routing = routing
            self._lines = {known: line for known, line in self._lines.items() if line.is_busy}
        line = self._lines.get(models)
        if line is None:
            line = self._lines[models] = _Line(together)
        turn = _Turn(go)
        line.come(turn)
        return functools.partial(line.leave, turn)


def _nothing() -> None:
    """Nobody is told that a request which did not wait is over."""


class _Turn:
    """The turn of one request: to come, here, or given up."""

    __slots__ = ("go", "is_here", "is_over")

    def __init__(self, go: Callable[[], None]) -> None:
        self.go = go
        self.is_here = self.is_over = False


class _Line:
    """The requests of one set of versions."""

    def __init__(self, together: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._together = together
        self._window = BatchWindow(BatchPolicy(max_size=together))  # of callers who were answered a moment ago
        self._waiting: list[_Turn] = []
        self._first = 0.0
        self._asked = self._answered = 0
        self._began = self._seconds = 0.0
        self._look: asyncio.Handle | None = None
        self._looks_soon = False

    @property
    def is_busy(self) -> bool:
        """Whether a request waits or is asked."""
        return bool(self._waiting or self._asked)

    def come(self, turn: _Turn) -> None:
        """Let a request go when its turn comes."""
        if not self._waiting:
            self._first = time.perf_counter()
        self._waiting.append(turn)
        self._window.arrived(time.perf_counter(), 1)
        if self._asked == 0 or len(self._waiting) >= self._together:
            self._look_at(None)
        elif len(self._waiting) == 1:
            self._look_at(self._first + self._held_seconds)

    def leave(self, turn: _Turn) -> None:
        """A request is answered, or given up."""
        turn.is_over = True
        if not turn.is_here:
            return
        self._asked -= 1
        self._answered += 1
        if self._asked:
            return
        now = time.perf_counter()
        self._seconds += MEMORY * (now - self._began - self._seconds) if self._seconds else now - self._began
        self._window.answered(now, self._answered, now - self._began)
        self._answered = 0
        if self._waiting:
            self._look_at(None)

    @property
    def _held_seconds(self) -> float:
        return min(HELD_SECONDS_MAX, HELD_GROUPS * self._seconds) if self._seconds else HELD_SECONDS_MAX

    def _look_at(self, when: float | None) -> None:
        """Look at what waits then; without a time when all that can be read now was read."""
        if self._looks_soon:
            return
        if self._look is not None:
            self._look.cancel()
        self._looks_soon = when is None
        if when is None:
            self._look = self._loop.call_soon(self._send_on)
        else:
            left = max(SHORTEST_TIMER_S, when - time.perf_counter())
            self._look = self._loop.call_later(left, self._send_on)

    def _send_on(self) -> None:
        self._look, self._looks_soon = None, False
        self._waiting = [turn for turn in self._waiting if not turn.is_over]
        if not self._waiting:
            return
        now, is_full = time.perf_counter(), len(self._waiting) >= self._together
        if self._asked and not is_full and now < self._first + self._held_seconds:
            self._look_at(self._first + self._held_seconds)
            return
        delay = self._window.delay(now, waiting=len(self._waiting), first=self._first, receiving=0)
        if delay > 0 and not self._asked:
            self._look_at(now + delay)
            return
        if not self._asked:
            self._began = now
        self._asked += len(self._waiting)
        going, self._waiting = self._waiting, []
        for turn in going:
            turn.is_here = True
        for turn in going:
            if not turn.is_over:
                turn.go()
