"""A caller's request while it is in the service: its items, where each is, and who is told when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mop.errors import MopError
from mop.serving.frames import Answers


class Call:
    """One request: one or more items of one format.

    Attributes:
        form: format flag of every item (MODEL_FORMAT or MOP_FORMAT).
        done: whether nobody waits any more: answered, failed or given up.
        outputs: as JSON, in order; complete when `done` without an error.
        error: the first failure.
        arrived: seconds of time.perf_counter().
        waiting: items that stand in the queue, which counts them.
        waiting_bytes: bytes of these.
    """

    __slots__ = (
        "_left",
        "_on_done",
        "arrived",
        "bodies",
        "done",
        "error",
        "form",
        "listed",
        "outputs",
        "waiting",
        "waiting_bytes",
    )

    def __init__(
        self, bodies: Sequence[bytes | bytearray], form: int, *, listed: bool, on_done: Callable[[Call], None]
    ) -> None:
        self.bodies = list(bodies)
        self.form = form
        self.listed = listed
        self.done = False
        self.outputs = [b""] * len(self.bodies)
        self.error: MopError | None = None
        self.arrived = time.perf_counter()
        self.waiting = 0
        self.waiting_bytes = 0
        self._on_done = on_done
        self._left = len(self.bodies)

    def succeed(self, index: int, output: bytes) -> None:
        """Take the output of one item."""
        self.outputs[index] = output
        self._left -= 1
        if self._left == 0 and not self.done:
            self._finish()

    def fail(self, index: int, error: MopError) -> None:
        """One item failed: so does the request, naming the item if it was a list."""
        if self.done:
            return
        if self.listed:
            error = type(error)(
                error.message,
                hint=error.hint,
                place=f"item {index}" + (f", {error.place}" if error.place else ""),
                also=error.also,
            )
        self.error = error
        self._finish()

    def _finish(self) -> None:
        on_done = self._on_done
        self.give_up()
        on_done(self)

    def give_up(self) -> None:
        """Nobody waits for it any more. It holds nothing large, and nothing that holds it: bodies go at once."""
        self.done = True
        self.bodies = []
        self._on_done = _nobody


def _nobody(_call: Call) -> None:
    """Who is told when nobody waits."""


class Batch:
    """What was handed over in one frame.

    Attributes:
        entries: (call, index) of each item; none after a withdrawal.
        size: items that were handed over.
        started: since when the model works on it, in seconds of time.perf_counter().
    """

    __slots__ = ("entries", "size", "started")

    def __init__(self, entries: list[tuple[Call, int]]) -> None:
        self.entries = entries
        self.size = len(entries)
        self.started = 0.0

    def items(self) -> list[tuple[int, bytes | bytearray]]:
        """(format, JSON) of each item."""
        return [(call.form, call.bodies[index]) for call, index in self.entries]

    def withdraw(self) -> list[tuple[Call, int]]:
        """Take the entries out: whatever the process answers for them is of no use any more."""
        entries, self.entries = self.entries, []
        return entries


class Answered(NamedTuple):
    """A process answered a batch.

    Attributes:
        batch: its entries are in the order of the answers.
        answers: one for each item.
        at: seconds of time.perf_counter().
    """

    batch: Batch
    answers: Answers
    at: float


class Lost(NamedTuple):
    """A process ended while it worked on the batch."""

    batch: Batch
    error: MopError


class NotBegun(NamedTuple):
    """A process ended before it began the batch, or what merely shared the process with one past its deadline."""

    batch: Batch


Outcome = Answered | Lost | NotBegun
"""What became of a batch that was handed over."""
