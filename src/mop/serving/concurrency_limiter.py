"""How many model processes share what waits: tried and measured, not assumed.

Processes on cores of their own serve several small batches sooner than one large one. Processes that share a GPU, or
more processes than cores, only slow each other down: there few of them with larger batches serve everybody sooner.
Both look the same from outside, but for the time in which items are answered. So now and then half or twice as many
processes work side by side for a few batches, and what was clearly faster stays.
"""

from __future__ import annotations

FIRST_PATIENCE = 32  # batches until the first try; doubled after each that brought nothing
LONGEST_PATIENCE = 4096
SETTLES = 8  # batches after a change that say nothing of it yet
COMPARED = 24  # batches
CLEARLY = 0.9
MEMORY = 0.2
LATE = 3.0
OTHER_LOAD = 2.0  # so many times more or fewer items: what was seen before says little


class ConcurrencyLimiter:
    """For two processes or more. Times are seconds.

    Attributes:
        limit: model processes that work side by side now, unless full batches wait.
    """

    def __init__(self, processes: int) -> None:
        self.limit = processes
        self._processes = processes
        self._duration = 0.0
        self._present = 0.0
        self._judged = 0.0  # items present when patience was last set
        self._patience = FIRST_PATIENCE
        self._before: float | None = None  # mean time to an answer before the try that goes on
        self._from = processes
        self._down = True
        self._batches = 0
        self._seconds = 0.0
        self._items = 0

    def answered(self, items: int, *, duration: float, waited: float, present: int) -> None:
        """A batch came back.

        Args:
            items: its size.
            duration: since the model began it.
            waited: since its items arrived, the sum over them.
            present: items in the service, its own included.
        """
        self._duration += MEMORY * (duration - self._duration)
        self._present += MEMORY * (present - self._present)
        if present == 1:
            return  # it would have been the same with any limit
        if not 1 / OTHER_LOAD < self._present / (self._judged or self._present) < OTHER_LOAD:
            self._judge_again()
            return
        self._judged = self._judged or self._present
        self._batches += 1
        if self._batches > self._settles:
            self._seconds += waited
            self._items += items
        if self._batches == self._settles + COMPARED:
            self._conclude(self._seconds / self._items)

    @property
    def _settles(self) -> int:
        return SETTLES if self._before is not None else self._patience

    def _judge_again(self) -> None:
        if self._before is not None:
            self.limit = self._from
        self._restart(before=None)
        self._patience, self._judged, self._down = FIRST_PATIENCE, self._present, False

    def _conclude(self, mean: float) -> None:
        if self._before is None:
            self._from, self.limit = self.limit, self._other()
            self._restart(before=mean)
            return
        if mean < CLEARLY * self._before:
            self._patience = FIRST_PATIENCE
        else:
            self.limit = self._from
            self._patience = min(LONGEST_PATIENCE, 2 * self._patience)
            self._down = not self._down
        self._restart(before=None)

    def _restart(self, *, before: float | None) -> None:
        self._before = before
        self._batches, self._seconds, self._items = 0, 0.0, 0

    def _other(self) -> int:
        """Half or twice as many, in turn."""
        fewer, more = max(1, self.limit // 2), min(self._processes, 2 * self.limit)
        first, second = (fewer, more) if self._down else (more, fewer)
        return first if first != self.limit else second

    @property
    def late(self) -> float:
        """A batch that takes longer than this is not waited for."""
        return LATE * self._duration

    def share(self, items: int) -> int:
        """Items of a batch, so that all that are here, waiting or at work, are spread evenly."""
        return -(-items // self.limit)
