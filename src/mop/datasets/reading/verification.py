"""The verification of a dataset's file: one pass over its bytes in constant memory."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

from mop.datasets.reading.columns import Header, ValueCounts, read_header
from mop.datasets.reading.digests import RowDigests
from mop.datasets.reading.fast import LEAST_BYTES, Batch, DoubtfulLine, FastReader
from mop.datasets.reading.faults import Fault, FaultKind, FaultLog
from mop.datasets.reading.images import quiet_pillow
from mop.datasets.reading.inputs import InputCheck, input_check
from mop.datasets.reading.records import Record, RecordReader, is_utf_8
from mop.datasets.reading.report import Report
from mop.datasets.reading.spec import DatasetSpec, LabelType, Modality
from mop.datasets.reading.window import CHUNK, ByteStream, Window

OpenStream = Callable[[], AbstractContextManager[ByteStream]]
Progress = Callable[[int, int], None]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""What a text in UTF-16 begins with."""
_OTHER_FORMATS = (
    *(b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c"),
    *(b"PAR1", b"ARROW1", b"SQLite format 3\0", b"\xd0\xcf\x11\xe0", b"%PDF-", b"\x89PNG", b"\xff\xd8\xff"),
)
"""What people hand in for a table: compressed files, workbooks, tables of other formats, pictures."""
_MARK_BYTES = max(map(len, _OTHER_FORMATS))
_SMALL_BLOCK = 32 * 1024
_BLOCK_AROUND = 512 * 1024
_HEADER_ROW = 1


def verify(
    open_stream: OpenStream,
    spec: DatasetSpec,
    *,
    progress: Progress | None = None,
    seed: int | None = None,
    sorted_digests: Path | None = None,
    quotes_cells: bool = False,
    fast: bool = True,
) -> Report:
    """Verify a file from its first to its last byte.

    Args:
        open_stream: opens the file for bytes, once; closed afterwards.
        spec: what the file should be.
        progress: called with rows and bytes read so far, after each megabyte or row, whichever is more.
        seed: 64 bits, the installation's secret, for the digests of rows. None: a seed of this call alone.
        sorted_digests: file to write for `shared_rows`: digests of the input of each row. It grows to 8 bytes a row.
        quotes_cells: whether faults quote the beginning of cells. Only for people who have the file anyway.
        fast: whether clean blocks may be decided without the exact reader. The report is the same without.

    Raises:
        OSError: the stream cannot be read, or there is no room for the digests.
    """
    digests = RowDigests(
        seed=secrets.randbits(64) if seed is None else seed,
        budget_bytes=spec.limits.digest_bytes,
        folder=sorted_digests.parent if sorted_digests else None,
    )
    with open_stream() as stream, closing(digests), quiet_pillow():
        run = _Verification(Window(stream), spec, digests, quotes_cells=quotes_cells)
        run.read(progress or _no_progress, fast=fast)
        return run.report(sorted_digests)


def _without(block: bytes, lines: list[DoubtfulLine]) -> bytes:
    """What is left of a block; lines behind its end do not count."""
    ends = [0, *(line.end for line in lines)]
    starts = [*(line.start for line in lines), len(block)]
    return b"".join([block[end:start] for end, start in zip(ends, starts, strict=True)])


def _lengths_before(lines: list[DoubtfulLine]) -> Iterator[int]:
    """How many bytes that are not in doubt stand before each line in doubt."""
    others = 0
    for line in lines:
        yield line.start - others
        others += line.end - line.start


def _no_progress(_rows: int, _size: int) -> None:
    return


class _Verification:
    def __init__(self, window: Window, spec: DatasetSpec, digests: RowDigests, *, quotes_cells: bool) -> None:
        self._window = window
        self._spec = spec
        self._digests = digests
        self._log = FaultLog(spec.limits.places, quotes_cells=quotes_cells)
        self._header = Header(0, {}, ())
        self._inputs: InputCheck | None = None
        self._values = [
            *(ValueCounts.of_label(label) for label in spec.labels),
            *(ValueCounts.of_slices(column, spec.limits.group_values) for column in spec.slice_columns),
        ]
        self._value_columns: list[tuple[int, ValueCounts]] = []
        self._rows = 0
        self._met_doubt = False

    def read(self, progress: Progress, *, fast: bool) -> None:
        """Read the whole file."""
        if not self._read_header():
            return
        reader = self._fast_reader() if fast else None
        records = RecordReader(self._window, columns=self._header.count, row_bytes=self._spec.limits.row_bytes)
        largest = min(CHUNK, self._spec.limits.row_bytes)
        smallest = min(_SMALL_BLOCK, largest)
        size, exact_size = largest, smallest
        is_at_end = False
        while not is_at_end:
            if reader is not None and (
                (not self._met_doubt and self._read_fast(reader, size)) or self._read_around(reader, records, size)
            ):
                size, exact_size = min(2 * size, largest), smallest
            else:
                # a small part before the fast path tries again, since this fault may be the only one; the more parts
                # have one, the longer it is not tried
                found = self._log.count
                is_at_end = self._read_exactly(records, exact_size)
                size = smallest
                exact_size = min(2 * exact_size, largest) if self._log.count > found else smallest
            progress(self._rows, self._window.passed)

    def _read_fast(self, reader: FastReader, size: int) -> bool:
        """Take the next lines if they are beyond doubt."""
        block = self._window.lines(size)
        batch = reader.read(block) if block else None
        if batch is None:
            return False
        for values, found in zip(self._values, batch.values, strict=True):
            values.take_all(found)
        self._digests.add(batch.digests)
        self._rows += batch.rows
        self._window.advance(len(block))
        return True

    def _read_around(self, reader: FastReader, records: RecordReader, size: int) -> bool:
        """Take the next lines, those in doubt row by row and all others together, if few are in doubt."""
        window = self._window
        block = window.lines(min(size, _BLOCK_AROUND))
        doubtful = reader.doubtful(block) if block else None
        self._met_doubt = bool(doubtful)
        batch = reader.read(_without(block, doubtful)) if doubtful is not None else None
        if doubtful is None or batch is None or not self._has_room(batch, len(doubtful)):
            return False
        if any(0 < length < LEAST_BYTES for length in _lengths_before(doubtful)):
            return False  # a row in doubt may end later, and the rows before it are then a block
        base = window.passed
        rows: list[Record] = []
        for line in doubtful:
            window.advance(base + line.start - window.passed)
            record = records.next()
            assert record is not None  # noqa: S101 - there is a line
            rows.append(record)
            if window.passed != base + line.end:  # it goes on over lines that were taken for rows
                batch = reader.read(_without(block[: line.start], doubtful))
                break
        else:
            window.advance(base + len(block) - window.passed)
        self._take_around(batch, rows, [line.number for line in doubtful])
        return True

    def _has_room(self, batch: Batch, others: int) -> bool:
        """Whether the order of rows does not decide which value is one too many."""
        return all(
            values.allowed is not None or len(values.counts.keys() | found.keys()) + others <= values.most
            for values, found in zip(self._values, batch.values, strict=True)
        )

    def _take_around(self, batch: Batch | None, rows: list[Record], lines: list[int]) -> None:
        """Take a batch, and between its rows others.

        Args:
            batch: None has no rows.
            rows: the others.
            lines: their numbers, counted from 0 with the rows of the batch.
        """
        digests = batch.digests if batch else []
        for values, found in zip(self._values, batch.values if batch else (), strict=bool(batch)):
            values.take_all(found)
        taken = 0
        for others, (record, line) in enumerate(zip(rows, lines, strict=False)):
            self._digests.add(digests[taken : line - others])
            self._rows += line - others - taken + 1
            taken = line - others
            self._check_row(record)
        self._digests.add(digests[taken:])
        self._rows += len(digests) - taken

    def _read_exactly(self, records: RecordReader, size: int) -> bool:
        """Take rows of about so many bytes, one at least; whether the file is at its end."""
        end = self._window.passed + size
        while True:
            self._check_plain(records.plain())
            if self._window.passed >= end:
                return False
            if (record := records.next()) is None:
                return True
            self._rows += 1
            self._check_row(record)

    def report(self, sorted_digests: Path | None) -> Report:
        """What was found."""
        self._check_columns()
        duplicates = self._digests.finish(places=self._spec.limits.places, sorted_digests=sorted_digests)
        warnings: tuple[Fault, ...] = ()
        if duplicates.count:
            rows = tuple(place + _HEADER_ROW + 1 for place in duplicates.first)
            warnings = (Fault(FaultKind.DUPLICATE_ROW, None, duplicates.count, rows),)
        faults = tuple(self._log.faults())
        faulty = {fault.column for fault in faults}
        shown = {one.column: one.by_frequency() for one in self._values if one.column not in faulty and one.counts}
        slices = frozenset(self._spec.slice_columns)
        return Report(
            faults=faults,
            warnings=warnings,
            rows=self._rows,
            size=self._window.passed,
            columns=self._header.count,
            label_counts={column: counts for column, counts in shown.items() if column not in slices},
            slice_counts={column: counts for column, counts in shown.items() if column in slices},
            rows_searched=self._digests.count,
        )

    def _fast_reader(self) -> FastReader | None:
        """Text only: an image must be decoded anyway. Not if a column that it needs is missing."""
        if self._spec.modality != Modality.TEXT or any(one not in self._header.place for one in self._spec.required):
            return None
        return FastReader(self._header, self._values, self._digests)

    def _read_header(self) -> bool:
        """Read the first row; whether it is worth while to read further ones."""
        window, log, limits = self._window, self._log, self._spec.limits
        while window.held < _MARK_BYTES and window.extend():
            pass
        if window.data.startswith(_OTHER_FORMATS):
            log.add(FaultKind.NOT_TEXT, row=None)
            return False
        if window.data.startswith(BYTE_ORDER_MARK):
            log.add(FaultKind.BYTE_ORDER_MARK, row=_HEADER_ROW)
            window.advance(len(BYTE_ORDER_MARK))
        record = RecordReader(window, columns=0, row_bytes=limits.row_bytes).next()
        if record is None:
            log.add(FaultKind.EMPTY_FILE, row=None)
            return False
        if record.fault:
            log.add(record.fault, row=_HEADER_ROW, cell=record.raw)
        is_wide = record.raw.startswith(_WIDE_MARKS) or record.raw.count(0) * 3 > len(record.raw)
        if is_wide or not is_utf_8(record.raw):
            log.add(FaultKind.NOT_UTF_8, row=_HEADER_ROW)
        if record.cells is None or is_wide:
            return False
        if delimiter := self._delimiter_fault(record):
            log.add(delimiter, row=_HEADER_ROW, cell=record.raw)
            return False
        if len(record.cells) > limits.columns:
            log.add(FaultKind.TOO_MANY_COLUMNS, row=_HEADER_ROW)
            return False
        self._header = read_header(record.cells, self._spec, log)
        self._inputs = input_check(self._header, self._spec)
        place = self._header.place
        self._value_columns = [(place[one.column], one) for one in self._values if one.column in place]
        return True

    def _delimiter_fault(self, record: Record) -> FaultKind | None:
        if record.cells is None or len(record.cells) > 1 or record.cells == [b"text"]:
            return None
        if b"," in record.raw:
            return FaultKind.COMMA_INSTEAD_OF_TAB
        if any(one in record.raw for one in (b";", b"|", b" ", b"\\t", b":")):
            return FaultKind.WRONG_DELIMITER
        return None

    def _check_plain(self, rows: list[list[bytes]]) -> None:
        """Check rows of UTF-8: those that have all their cells together, others one by one."""
        count = self._header.count
        sound: list[list[bytes]] = []
        for cells in rows:
            if len(cells) == count and b"" not in cells and self._inputs is not None:
                sound.append(cells)
                continue
            self._check_sound(sound)
            sound = []
            self._rows += 1
            self._check_row(Record(cells, b"\t".join(cells)))
        self._check_sound(sound)

    def _check_sound(self, rows: list[list[bytes]]) -> None:
        inputs = self._inputs
        if inputs is None or not rows:
            return
        for place, values in self._value_columns:
            found = Counter([cells[place] for cells in rows])
            if values.takes_all(found):
                values.take_all(found)
                continue
            for number, cells in enumerate(rows, start=self._rows + 1):
                self._check_value(values, cells[place], number + _HEADER_ROW)
        self._digests.add(self._digests.of([inputs.content(cells) for cells in rows]))
        if inputs.checks_cells:
            for number, cells in enumerate(rows, start=self._rows + 1):
                self._check_input(cells, number + _HEADER_ROW)
        self._rows += len(rows)

    def _check_row(self, record: Record) -> None:
        row, log, header = self._rows + _HEADER_ROW, self._log, self._header
        cells = record.cells
        if record.fault:
            log.add(record.fault, row=row, column=header.name_of(record.column), cell=record.raw)
        if cells is None or len(cells) != header.count:
            self._digests.add_row_without(row)
            if record.fault is None:
                log.add(self._ragged(record), row=row, cell=record.raw)
            return
        inputs = self._inputs
        for place, cell in enumerate(cells):
            if not cell and (inputs is None or place not in inputs.may_be_empty):
                log.add(FaultKind.EMPTY_CELL, row=row, column=header.name_of(place))
            elif not is_utf_8(cell):
                log.add(FaultKind.NOT_UTF_8, row=row, column=header.name_of(place), cell=cell)
        for place, values in self._value_columns:
            if cells[place] and is_utf_8(cells[place]):
                self._check_value(values, cells[place], row)
        if inputs is None or not is_utf_8(record.raw):
            self._digests.add_row_without(row)
            return
        self._check_input(cells, row)
        self._digests.add(self._digests.of([inputs.content(cells)]))

    def _check_value(self, values: ValueCounts, cell: bytes, row: int) -> None:
        if refusal := values.refuses(cell):
            self._log.add(refusal, row=row, column=values.column, cell=cell)
        else:
            values.take(cell)

    def _check_input(self, cells: list[bytes], row: int) -> None:
        assert self._inputs is not None  # noqa: S101 - the callers ask
        for kind, place in self._inputs.faults(cells):
            self._log.add(kind, row=row, column=self._header.name_of(place), cell=cells[place])

    def _ragged(self, record: Record) -> FaultKind:
        """A row of one cell that holds enough commas was written by somebody who delimits with commas."""
        commas = self._header.count - 1
        if commas and record.cells and len(record.cells) == 1 and record.raw.count(b",") >= commas:
            return FaultKind.COMMA_INSTEAD_OF_TAB
        return FaultKind.RAGGED_ROW

    def _check_columns(self) -> None:
        """What can only be said when all rows were read."""
        log = self._log
        if not self._rows:
            if not log:
                log.add(FaultKind.NO_ROWS, row=None)
            return
        for label, values in zip(self._spec.labels, self._values, strict=False):
            column = label.header
            if any(fault.column == column for fault in log.faults()):
                continue
            found = len(values.counts)
            if found == 1:
                log.add(FaultKind.ONE_CLASS_ONLY, row=None, column=column)
            elif label.label_type == LabelType.MULTI_LABEL and label.size is not None and found != label.size:
                log.add(FaultKind.LABEL_SIZE, row=None, column=column)
