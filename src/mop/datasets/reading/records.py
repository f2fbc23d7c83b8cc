"""The exact reader: takes a file apart row by row and says what is wrong with each.

Its grammar is that of RFC 4180 with tabs, as Python's csv module reads it with `strict=True`, but for two things: a
line break within a cell is a fault, and a quote that is never closed costs its line and not the rest of the file.

    row      = cell *(TAB cell) [CR] LF          the last row may end without LF
    cell     = quoted / plain
    quoted   = '"' *(any byte but '"' / '""') '"'
    plain    = empty / a byte but '"', TAB, CR, LF, then any but TAB, CR, LF: a quote inside stands for itself
"""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from mop.datasets.reading.faults import FaultKind
from mop.datasets.reading.window import CHUNK, Window

# possessive: linear in time and constant in memory, whatever the bytes are
_QUOTED = re.compile(rb'"((?:[^"]++|"")*+)"')
_PLAIN = re.compile(rb"[^\t\r\n]*+")
_PLAIN_BYTES = 32 * 1024
_LEAST_PLAIN_BYTES = 512
_DECODED_BYTES = 32 * 1024
_DECODED_AT_ONCE = CHUNK
"""Takes two thirds of the time of pieces, and four times as many bytes of memory for a moment."""
_FIRST_LOOK = 64 * 1024
_LOOKS = 8  # rows of the greatest length that are searched in vain for closing quotes


class Record(NamedTuple):
    """One row.

    Attributes:
        cells: their content, without quotes; None if the row could not be taken apart.
        raw: the bytes of the row without its line end; empty if it was too long to be held.
        fault: why it could not be taken apart, or a line break within a cell.
        column: index of the cell at which the fault was seen.
    """

    cells: list[bytes] | None
    raw: bytes
    fault: FaultKind | None = None
    column: int | None = None


class RecordReader:
    """Gives the rows of a window one after the other.

    Attributes:
        columns: how many cells a row should have. A row over several lines that has more is one whose quotes are not
            balanced.
    """

    def __init__(self, window: Window, *, columns: int, row_bytes: int) -> None:
        self.columns = columns
        self._window = window
        self._row_bytes = row_bytes
        # looking for a closing quote over several lines must not take quadratic time in a file made for that
        self._patience = _LOOKS * row_bytes
        self._most_plain = self._size = min(_PLAIN_BYTES, row_bytes)

    def plain(self) -> list[list[bytes]]:
        """The cells of rows ahead that are UTF-8 and each on a line of its own; the window moves behind them.

        Many rows are taken at once, as long as nothing is wrong with them. Empty if the next row is not such a row, or
        is long; `next` takes any.
        """
        window = self._window
        block = window.lines(self._size)
        lines = block.split(b"\n")
        lines.pop()  # what is behind the last line feed
        if not is_utf_8(block):
            rows = []
        elif b'"' in block or b"\r" in block:
            rows = _rows_of_lines(lines)
        else:
            rows = [line.split(b"\t") for line in lines]
        if len(rows) == len(lines):
            window.advance(len(block))
            self._size = min(2 * self._size, self._most_plain)
        else:
            # where one row is wrong others often are: do not look at many of which few can be taken
            window.advance(sum(len(line) + 1 for line in lines[: len(rows)]))
            self._size = max(self._size // 8, min(_LEAST_PLAIN_BYTES, self._most_plain))
        return rows

    def next(self) -> Record | None:
        """The next row, whatever it is; None at the end of the file. The window moves behind it."""
        window = self._window
        if not window.held and not window.extend():
            return None
        end = window.find(b"\n", most=self._row_bytes)
        if end < 0 and window.held >= self._row_bytes:
            window.skip_line()
            return Record(None, b"", FaultKind.ROW_TOO_LONG)
        length = window.held if end < 0 else end + 1
        line = window.data[window.position : window.position + length]
        if b'"' in line:
            return self._with_quotes(line)
        window.advance(length)
        line = line.removesuffix(b"\n").removesuffix(b"\r")
        cells = line.split(b"\t")
        broken = next((place for place, cell in enumerate(cells) if b"\r" in cell), None)
        return Record(cells, line, None if broken is None else FaultKind.LINE_BREAK, broken)

    def _with_quotes(self, line: bytes) -> Record:
        window = self._window
        text = line
        size = max(_FIRST_LOOK, 2 * len(line))
        while True:
            row = _take_apart(text, columns=self.columns)
            if row.ending is not _Ending.OPEN:
                break
            if text is line and not self._may_close(len(line)):
                row = row._replace(ending=_Ending.BAD)
                break
            # the row goes on behind this line: look at more of the file, twice as much each time
            size = min(size, self._row_bytes)
            if self._patience <= 0 or not self._look_ahead(size, len(text)):
                row = row._replace(ending=_Ending.BAD)
                break
            text = window.data[window.position : window.position + size]
            size *= 2
        if row.ending is _Ending.GOOD and (row.broken is None or len(row.cells) == self.columns):
            window.advance(row.length)
            fault = None if row.broken is None else FaultKind.LINE_BREAK
            return Record(row.cells, text[: row.length].rstrip(b"\r\n"), fault, row.broken)
        if len(text) > len(line):
            self._patience -= len(text)
        window.advance(len(line))
        fault = FaultKind.LINE_BREAK if row.ending is _Ending.BROKEN else FaultKind.UNBALANCED_QUOTES
        return Record(None, line.rstrip(b"\r\n"), fault, len(row.cells) if row.broken is None else row.broken)

    def _may_close(self, after: int) -> bool:
        """Whether the next quote behind a line that ends within quotes may end the cell, or is doubled."""
        window = self._window
        place = window.find(b'"', after=after, most=self._row_bytes)
        if place < 0:
            return False
        while window.held < place + 2 and window.extend():
            pass
        behind = window.data[window.position + place + 1 : window.position + place + 2]
        return behind in {b"", b'"', b"\t", b"\n", b"\r"}

    def _look_ahead(self, size: int, seen: int) -> bool:
        """Whether more than what was seen can be looked at."""
        while self._window.held < size and self._window.extend():
            pass
        return min(self._window.held, size) > seen


def _rows_of_lines(lines: list[bytes]) -> list[list[bytes]]:
    """The cells of lines up to the first that is no row by itself."""
    rows: list[list[bytes]] = []
    for line in lines:
        line = line.removesuffix(b"\r")  # noqa: PLW2901 - what a line ends with is none of its content
        if b"\r" in line:
            break
        if b'"' not in line:
            rows.append(line.split(b"\t"))
            continue
        cells = _cells_of_line(line)
        if cells is None:
            break
        rows.append(cells)
    return rows


def _cells_of_line(line: bytes) -> list[bytes] | None:
    """The cells of a line with quotes; None if it is no row, or goes on in the next line."""
    cells = line.split(b"\t")
    for place, cell in enumerate(cells):
        if not cell.startswith(b'"'):
            continue
        inside = cell[1:-1]
        if len(cell) == 1 or not cell.endswith(b'"') or b'"' in inside.replace(b'""', b""):
            # a tab within quotes, or a fault
            row = _take_apart(line, columns=0)
            return row.cells if row.ending is _Ending.GOOD and row.broken is None else None
        cells[place] = inside.replace(b'""', b'"')
    return cells


def is_utf_8(data: bytes) -> bool:
    """Whether whole lines, or a part of one, are UTF-8."""
    if data.isascii():
        return True
    if len(data) > _DECODED_AT_ONCE:
        return first_not_utf_8(data, 0) is None
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def first_not_utf_8(data: bytes, place: int) -> int | None:
    """Where the first byte from a place on stands that is not UTF-8; None if all are."""
    while place < len(data):
        # text of a megabyte would take four as a str, and leave the processor's cache
        end = data.rfind(b"\n", place, place + _DECODED_BYTES) + 1 or len(data)
        try:
            data[place:end].decode()
        except UnicodeDecodeError as error:
            return place + error.start
        place = end
    return None


class _Ending(enum.Enum):
    GOOD = "the row ends"
    OPEN = "the text ends within quotes"
    BAD = "something else than the end of the cell follows a closing quote"
    BROKEN = "a carriage return alone"


class _Parts(NamedTuple):
    """What a text begins with: the cells, how long the row is, the first cell with a line break, how it ends."""

    cells: list[bytes]
    length: int
    broken: int | None
    ending: _Ending


def _take_apart(text: bytes, *, columns: int) -> _Parts:
    """The row with which a text begins. The text ends at the end of a line or of the file, or within quotes.

    A text without line feed is taken for one that ends the file.
    """
    cells: list[bytes] = []
    place = 0
    broken: int | None = None
    while True:
        if text.startswith(b'"', place):
            match = _QUOTED.match(text, place)
            if match is None:
                return _Parts(cells, place, broken, _Ending.OPEN)
            content = match[1].replace(b'""', b'"')
            if broken is None and (b"\n" in content or b"\r" in content):
                broken = len(cells)
        else:
            match = _PLAIN.match(text, place)
            assert match is not None  # noqa: S101 - it may be empty
            content = match[0]
        place = match.end()
        ending = text[place : place + 2]
        if ending[:1] == b"\t":
            cells.append(content)
            place += 1
            if broken is not None and len(cells) >= columns:
                return _Parts(cells, place, broken, _Ending.BAD)
            continue
        if ending[:1] in {b"", b"\n"} or ending in {b"\r", b"\r\n"}:
            cells.append(content)
            return _Parts(cells, place + (2 if ending == b"\r\n" else len(ending[:1])), broken, _Ending.GOOD)
        return _Parts(cells, place, broken, _Ending.BROKEN if ending[:1] == b"\r" else _Ending.BAD)
