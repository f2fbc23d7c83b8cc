"""A caller's request while it is in the service: its items, where each is, and who is told when it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mop.errors import MopError
from mop.serving.frames import Answers, Listed


class Call:
    """One request: one or more items of one format.

    Attributes:
        form: format flag of every item (MODEL_FORMAT or MOP_FORMAT).
        done: whether nobody waits any more: answered, failed or given up.
        outputs: as JSON, in order; complete when `done` without an error. Those of a series stand together at the place
            of the first, with commas between them, and None at the places of the others.
        error: the first failure.
        arrived: seconds of time.perf_counter().
        in_series: whether its caller lets several of its batches go to a model process at once.
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
        "in_series",
        "listed",
        "outputs",
        "waiting",
        "waiting_bytes",
    )

    def __init__(
        self,
        bodies: Sequence[bytes | bytearray],
        form: int,
        *,
        listed: bool,
        on_done: Callable[[Call], None],
        in_series: bool = False,
    ) -> None:
        self.bodies = list(bodies)
        self.form = form
        self.listed = listed
        self.in_series = in_series and listed
        self.done = False
        self.outputs: list[bytes | None] = [b""] * len(self.bodies)
        self.error: MopError | None = None
        self.arrived = time.perf_counter()
        self.waiting = 0
        self.waiting_bytes = 0
        self._on_done = on_done
        self._left = len(self.bodies)

    @property
    def answer(self) -> bytes:
        """What its caller gets: the output, or the list of them."""
        if not self.listed:
            return self.outputs[0] or b""
        return b"[%b]" % b",".join(output for output in self.outputs if output is not None)

    def succeed(self, index: int, output: bytes) -> None:
        """Take the output of one item."""
        self.outputs[index] = output
        self._left -= 1
        if self._left == 0 and not self.done:
            self._finish()

    def succeed_series(self, index: int, count: int, outputs: bytes) -> None:
        """Take the outputs of items that follow each other, with commas between them."""
        self.outputs[index] = outputs
        self.outputs[index + 1 : index + count] = [None] * (count - 1)
        self._left -= count
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
    """What was handed over in one frame: one batch, or a series, several batches of one list one after the other.

    Attributes:
        entries: (call, index) of each item; none after a withdrawal. Those of a series follow each other in one call.
        size: items that were handed over.
        series_of: items of each batch of a series; 0 if it is no series.
        started: since when the model works on it, in seconds of time.perf_counter().
        told: when its process began it, or told last that it goes on with a series.
    """

    __slots__ = ("_tells", "entries", "series_of", "size", "started", "told")

    def __init__(self, entries: list[tuple[Call, int]], *, series_of: int = 0) -> None:
        self.entries = entries
        self.size = len(entries)
        self.series_of = series_of
        self.started = self.told = 0.0
        self._tells = 0

    def begin(self, now: float) -> None:
        """The model works on it from now on."""
        self.started = self.told = now

    def go_on(self, now: float) -> bool:
        """Its process goes on with another part of a series; whether there can be one.

        The items of each batch are converted, given to the model, and their outputs converted.
        """
        self.told = now
        self._tells += 1
        return self._tells <= 3 * self.count if self.series_of else False

    @property
    def count(self) -> int:
        """How many batches it is."""
        return -(-self.size // self.series_of) if self.series_of else 1

    def sizes(self) -> list[int]:
        """Items of each of them."""
        if not self.series_of:
            return [self.size]
        most = self.series_of
        return [min(most, self.size - begin) for begin in range(0, self.size, most)]

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
        answers: one for each item; of a series whose items all succeeded the list of their outputs.
        at: seconds of time.perf_counter().
    """

    batch: Batch
    answers: Answers | Listed
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
