"""How long until a queue is worked off: what a caller who finds it full is told."""

from __future__ import annotations

import math

MEMORY = 0.2


class DrainTime:
    """Learns from answers how long the model takes for an item. Times are seconds."""

    def __init__(self) -> None:
        self._item = 0.0

    @property
    def item_seconds(self) -> float:
        """What an item took lately; 0 before the first answer."""
        return self._item

    def answered(self, size: int, duration: float) -> None:
        """A batch of `size` items took `duration`."""
        item = duration / size
        self._item = item if self._item == 0.0 else self._item + MEMORY * (item - self._item)

    def retry_after(self, waiting: int, *, parallel_batches: int, running: float, batch: int, longest: float) -> int:
        """Whole seconds after which the queue will have room, at least 1.

        Args:
            waiting: items in the queue.
            parallel_batches: batches that are worked on side by side.
            running: since when the oldest batch has been worked on: a model that hangs now is no faster than that.
            batch: items of a batch at most.
            longest: an item that waits longer than this is dropped, so the answer is never more.
        """
        item = max(self._item, running / batch)
        return max(1, math.ceil(min(longest, item * waiting / max(1, parallel_batches))))
