"""The fast path: decides about a block of whole lines of a Text file without taking it apart row by row.

It accepts only what the exact reader accepts without a fault, and counts the same. Whatever it does not understand at
once, it leaves to the exact reader.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mop.datasets.reading.columns import Header, ValueCounts
from mop.datasets.reading.digests import RowDigests
from mop.datasets.reading.records import first_not_utf_8, is_utf_8

TAB, LINE_FEED, RETURN, QUOTE = 9, 10, 13, 34
_COUNTED_BYTES = 32
_LEAST_BYTES = 8
_WORD = 8
_MOST_DOUBTFUL = 8  # one line in so many: with more, row by row is faster
_MASKS = np.array([(1 << 8 * held) - 1 for held in range(9)], dtype=np.uint64)
_FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xFF51AFD7ED558CCD],
    dtype=np.uint64,
)

Places = npt.NDArray[np.int64]


class Batch(NamedTuple):
    """The rows of a block.

    Attributes:
        rows: how many.
        values: how often which value stands in each value column.
        digests: of their texts.
    """

    rows: int
    values: list[dict[bytes, int]]
    digests: list[bytes]


class DoubtfulLine(NamedTuple):
    """A line of a block: its number, counted from 0, and where it begins and ends."""

    number: int
    start: int
    end: int


class FastReader:
    """Reads blocks of Text files.

    Args:
        header: has the column `text` and all value columns.
        values: what may stand in the label and group columns.
        digests: makes the digests of the texts, and is given none of them here.
    """

    def __init__(self, header: Header, values: list[ValueCounts], digests: RowDigests) -> None:
        self._columns = header.count
        self._text = header.place["text"]
        self._digests = digests
        self._values = [(header.place[one.column], one) for one in values]

    def read(self, block: bytes) -> Batch | None:
        """What stands in the block; None if it is not certain that the exact reader finds nothing wrong in it.

        Args:
            block: whole lines, the last line feed included, from the beginning of a row on.
        """
        if b"\r" in block:
            # a carriage return before each line feed and nowhere else; one within quotes is then a line feed within
            # quotes, which is refused below
            if block.count(b"\r") != block.count(b"\r\n"):
                return None
            block = block.replace(b"\r\n", b"\n")
        data = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero((data - np.uint8(TAB)) <= 1)
        starts = np.empty_like(ends)
        starts[:1] = 0
        starts[1:] = ends[:-1] + 1
        if not self._is_table(data, starts, ends) or not is_utf_8(block):
            return None
        quoted = _quoted_cells(data, starts, ends) if b'"' in block else _NONE_QUOTED
        if quoted is None:
            return None
        table = _Table(block, data, starts, ends, quoted, self._columns)
        counts = [table.count(column) for column, _ in self._values]
        if not all(values.takes_all(found) for found, (_, values) in zip(counts, self._values, strict=True)):
            return None
        return Batch(len(ends) // self._columns, counts, table.digests(self._text, self._digests))

    def doubtful(self, block: bytes) -> list[DoubtfulLine] | None:
        """Lines for which `read` would refuse the block; None if they are many.

        A guess: what it does not name is not said to be right.

        Args:
            block: whole lines, the last line feed included.
        """
        if len(block) < _LEAST_BYTES:
            return None
        lines = _Lines(block, self._columns)
        if lines.has_few_doubtful():
            for column, values in self._values:
                if values.allowed is not None:
                    lines.doubt_values(column, values.allowed)
        return lines.doubtful() if lines.has_few_doubtful() else None

    def _is_table(self, data: npt.NDArray[np.uint8], starts: Places, ends: Places) -> bool:
        if len(ends) % self._columns or len(data) < _LEAST_BYTES:
            return False
        separators = data[ends].reshape(-1, self._columns)
        return bool(
            (separators[:, :-1] == TAB).all() and (separators[:, -1] == LINE_FEED).all() and (starts != ends).all()
        )


_NONE_QUOTED = np.empty(0, dtype=np.int64)


def _quoted_cells(data: npt.NDArray[np.uint8], starts: Places, ends: Places) -> Places | None:
    """Indexes of the cells that stand in quotes; None if one is empty or not closed, or a quote in it is not doubled.

    A quote within a cell that does not begin with one stands for itself.
    """
    quotes = np.flatnonzero(data == QUOTE)
    cells = np.searchsorted(ends, quotes)
    inside = data[starts[cells]] == QUOTE
    quotes, cells = quotes[inside], cells[inside]
    if not len(cells):
        return _NONE_QUOTED
    first = np.flatnonzero(np.concatenate(([True], cells[1:] != cells[:-1])))
    counts = np.diff(np.append(first, len(cells)))
    quoted = cells[first]
    if (counts % 2).any() or (quotes[first + counts - 1] != ends[quoted] - 1).any():
        return None
    if (ends[quoted] - starts[quoted] == 2).any():  # noqa: PLR2004 - a pair of quotes
        return None
    # between the first and the last quote of a cell they stand in pairs: each second one has its fellow behind it
    is_first_of_pair = (np.arange(len(cells)) - np.repeat(first, counts)) % 2 == 1
    is_first_of_pair[first + counts - 1] = False
    pairs = np.flatnonzero(is_first_of_pair)
    return None if (quotes[pairs + 1] - quotes[pairs] != 1).any() else quoted


class _Table:
    """Rows of a block by the places of their cells."""

    def __init__(
        self, block: bytes, data: npt.NDArray[np.uint8], starts: Places, ends: Places, quoted: Places, columns: int
    ) -> None:
        self._block = block
        self._data = data
        self._starts = starts.reshape(-1, columns)
        self._ends = ends.reshape(-1, columns)
        self._quoted = quoted
        self._columns = columns
        # the eight bytes that begin at each place, up to the last that has as many behind it
        self._last = len(block) - 8
        self._eight_bytes = np.ndarray(shape=(self._last + 1,), dtype="<u8", buffer=block, strides=(1,))

    def digests(self, column: int, digests: RowDigests) -> list[bytes]:
        """The digests of a column's cells; they are not held together."""
        if (self._quoted % self._columns == column).any():
            return digests.of(self._cells(column))
        return digests.of_slices(self._block, self._starts[:, column].tolist(), self._ends[:, column].tolist())

    def count(self, column: int) -> dict[bytes, int]:
        """How often which content stands in a column."""
        starts, ends = self._starts[:, column], self._ends[:, column]
        lengths = ends - starts
        longest = int(lengths.max())
        if longest > _COUNTED_BYTES or (self._quoted % self._columns == column).any():
            return Counter(self._cells(column))
        if longest == 1:
            found = np.bincount(self._data[starts], minlength=256)
            return {bytes((value,)): int(found[value]) for value in np.flatnonzero(found).tolist()}
        return self._count_short(starts, lengths, longest)

    def _count_short(self, starts: Places, lengths: Places, longest: int) -> dict[bytes, int]:
        """Count values as numbers: eight bytes make one. A sum of them tells values apart, and is then checked."""
        words = [lengths.astype(np.uint64)]
        for place in range(0, longest, 8):
            held = np.clip(lengths - place, 0, 8)
            at = np.minimum(starts + place, self._last)
            beyond = np.minimum(starts + place - at, 7).astype(np.uint64)
            words.append(self._eight_bytes[at] >> (beyond << np.uint64(3)) & _MASKS[held])
        sums = np.zeros(len(starts), dtype=np.uint64)
        for word, factor in zip(words, _FACTORS, strict=False):
            sums += word * factor
        different = np.unique(sums)
        place_of = np.searchsorted(different, sums)
        example = np.empty(len(different), dtype=np.int64)
        example[place_of] = np.arange(len(sums))
        representative = example[place_of]
        if any((word != word[representative]).any() for word in words):  # two values with the same sum
            return Counter(
                self._block[start : start + length]
                for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)
            )
        return {
            self._block[starts[row] : starts[row] + lengths[row]]: count
            for row, count in zip(example.tolist(), np.bincount(place_of).tolist(), strict=True)
        }

    def _cells(self, column: int) -> list[bytes]:
        block = self._block
        starts, ends = self._starts[:, column].tolist(), self._ends[:, column].tolist()
        cells = [block[start:end] for start, end in zip(starts, ends, strict=True)]
        for row in (self._quoted[self._quoted % self._columns == column] // self._columns).tolist():
            cells[row] = cells[row][1:-1].replace(b'""', b'"')
        return cells


class _Lines:
    """Which lines of a block are in doubt."""

    def __init__(self, block: bytes, columns: int) -> None:
        self._block = block
        self._columns = columns
        self._data = data = np.frombuffer(block, dtype=np.uint8)
        self._cell_ends = cell_ends = np.flatnonzero((data - np.uint8(TAB)) <= 1)
        self._last_cells = np.flatnonzero(data[cell_ends] == LINE_FEED)
        self._line_ends = cell_ends[self._last_cells]
        self._is_doubtful = np.diff(self._last_cells, prepend=-1) != columns
        empty = np.flatnonzero(np.diff(cell_ends, prepend=-1) == 1)
        self._is_doubtful[np.searchsorted(self._last_cells, empty)] = True
        self._doubt_returns()
        self._doubt_quotes()
        self._doubt_utf_8()

    def has_few_doubtful(self) -> bool:
        """Whether there are so few that it is worth while to take the others together."""
        return bool(np.count_nonzero(self._is_doubtful) <= len(self._line_ends) // _MOST_DOUBTFUL)

    def doubtful(self) -> list[DoubtfulLine]:
        """Those in doubt, in their order."""
        lines = np.flatnonzero(self._is_doubtful)
        starts = np.where(lines > 0, self._line_ends[lines - 1] + 1, 0)
        ends = self._line_ends[lines] + 1
        return [DoubtfulLine(*one) for one in zip(lines.tolist(), starts.tolist(), ends.tolist(), strict=True)]

    def doubt_values(self, column: int, allowed: frozenset[bytes]) -> None:
        """Doubt lines with other values in a column, if all values are short and few lines have others."""
        if any(len(value) > _WORD for value in allowed):
            return
        lines = np.flatnonzero(~self._is_doubtful)
        cells = self._last_cells[lines] - self._columns + 1 + column
        starts = np.where(cells > 0, self._cell_ends[cells - 1] + 1, 0)
        ends = self._cell_ends[cells]
        ends = ends - (self._data[ends - 1] == RETURN)
        inside = starts <= len(self._block) - _WORD
        lines, lengths, starts = lines[inside], (ends - starts)[inside], starts[inside]
        words = np.ndarray(shape=(len(self._block) - _WORD + 1,), dtype="<u8", buffer=self._block, strides=(1,))
        cut = words[starts] & _MASKS[np.minimum(lengths, _WORD)]
        known = np.array([int.from_bytes(value, "little") for value in allowed], dtype=np.uint64)
        others = lines[(lengths > _WORD) | ~np.isin(cut, known)]
        if len(others) <= len(self._line_ends) // _MOST_DOUBTFUL:
            self._is_doubtful[others] = True

    def _doubt_returns(self) -> None:
        if b"\r" in self._block:
            returns = np.flatnonzero(self._data[:-1] == RETURN)
            alone = returns[self._data[returns + 1] != LINE_FEED]
            self._is_doubtful[np.searchsorted(self._line_ends, alone)] = True

    def _doubt_quotes(self) -> None:
        if b'"' in self._block:
            lines = np.searchsorted(self._line_ends, np.flatnonzero(self._data == QUOTE))
            self._is_doubtful |= np.bincount(lines, minlength=len(self._line_ends)) % 2 == 1

    def _doubt_utf_8(self) -> None:
        place = 0
        while (broken := first_not_utf_8(self._block, place)) is not None:
            line = int(np.searchsorted(self._line_ends, broken))
            self._is_doubtful[line] = True
            place = int(self._line_ends[line]) + 1
