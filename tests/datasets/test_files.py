"""Files of unusual sizes and with unusual content."""

from __future__ import annotations

import io
import itertools
import tracemalloc
from collections.abc import Iterator
from typing import Self

import pytest

from datasets.made import binary, places, read, table, text_spec
from mop.datasets.reading import DatasetSpec, FaultKind, LabelColumn, LabelType, Limits, Modality, rows, verify
from mop.datasets.reading import records as records_module

HEAD = ("text", "label")


class Generated:
    """A stream of what is made while it is read, so that no large file lies on the disk."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        parts, length = [self._rest], len(self._rest)
        while length < size and (piece := next(self._pieces, b"")):
            parts.append(piece)
            length += len(piece)
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        return


def test_a_file_of_one_row_has_one_class_only():
    report = read(table(HEAD, ("a", "1")), text_spec())
    assert places(report) == {(FaultKind.ONE_CLASS_ONLY, "label", ())}
    assert report.rows == 1


def test_without_label_columns_one_row_is_enough():
    assert read(b"text\na", DatasetSpec(modality=Modality.TEXT)).is_clean


def test_20_label_columns_make_20_datasets():
    labels = [binary(f"label_{n}") for n in range(20)]
    body = [(f"text {n}", *(str(n >> place & 1) for place in range(20))) for n in (0, 2**20 - 1, 7)]
    report = read(table(("text", *(label.header for label in labels)), *body), text_spec(*labels))
    assert report.is_clean
    assert report.label_counts["label_0"] == {"1": 2, "0": 1}
    assert report.label_counts["label_19"] == {"0": 2, "1": 1}


def test_20_labels_in_one_column():
    labels = tuple(f"level {n}" for n in range(20))
    ordinal = LabelColumn(header="label", label_type=LabelType.ORDINAL, labels=labels)
    report = read(table(HEAD, *((f"t{n}", labels[n % 20]) for n in range(100))), text_spec(ordinal))
    assert report.is_clean
    assert report.label_counts == {"label": dict.fromkeys(sorted(labels), 5)}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last_ends", [0, 1])
def test_lines_end_with_or_without_carriage_returns(end: str, last_ends: int):
    data = end.join(["text\tlabel", "a\t0", '"b"\t"1"', "c\t1"]) + end * last_ends
    report = read(data.encode(), text_spec())
    assert report.is_clean
    assert report.label_counts == {"label": {"1": 2, "0": 1}}


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "ש" * 500_000,
        "مرحبا بالعالم \u202eright to left",
        "a NUL \0 inside",
        '5" pipe and 6" pipe',
        "line separators \u2028 \x85 \x0b \x0c are characters",
        "'single quotes' and \\t backslashes, commas",
        " leading and trailing spaces ",
        "zero width \u200b\ufeff and 👩\u200d👩\u200d👧",
    ],
    ids=["1 MB", "1 MB Hebrew", "Arabic", "NUL", "lone quotes", "separators", "ASCII", "spaces", "emoji"],
)
def test_texts_are_read_as_they_are(text: str):
    data = table(HEAD, ("a", "0"), (text, "1"), ("b", "0"))
    assert read(data, text_spec()).is_clean
    assert [row.item["text"] for row in rows(lambda: io.BytesIO(data), text_spec())] == ["a", text, "b"]


def test_quoted_texts_may_hold_tabs_and_quotes():
    data = table(HEAD, ('"a\tb"', "0"), ('"say ""no"""', "1"), ('""""', "1"))
    assert read(data, text_spec()).is_clean
    assert [row.item["text"] for row in rows(lambda: io.BytesIO(data), text_spec())] == ["a\tb", 'say "no"', '"']


def test_a_fault_behind_many_blocks_has_its_row():
    body = [row for n in range(60_000) for row in ((f"text number {n} of many", str(n % 2)),)]
    body[59_000] = ("short",)
    assert places(read(table(HEAD, *body), text_spec())) == {(FaultKind.RAGGED_ROW, None, (59_002,))}


def test_progress_reaches_rows_and_bytes_of_the_whole_file():
    data = table(HEAD, *((f"text number {n} of many", str(n % 2)) for n in range(60_000)))
    told: list[tuple[int, int]] = []
    report = verify(lambda: io.BytesIO(data), text_spec(), progress=lambda *numbers: told.append(numbers))
    assert told == sorted(told)
    assert told[-1] == (60_000, len(data)) == (report.rows, report.size)
    assert len(told) > 1


def test_a_quote_that_is_never_closed_costs_no_more_than_its_row():
    body = [(f"text {n}", str(n % 2)) for n in range(50_000)]
    body[100] = ('"text', "1")
    report = read(table(HEAD, *body), text_spec())
    assert places(report) == {(FaultKind.UNBALANCED_QUOTES, "text", (102,))}
    assert report.rows == 50_000


def test_a_file_made_to_be_searched_again_and_again_is_read_once(monkeypatch: pytest.MonkeyPatch):
    # each line leaves quotes and enters them again, so each looks like the beginning of a row of many lines
    taken: list[int] = []
    take_apart = records_module._take_apart
    monkeypatch.setattr(
        records_module, "_take_apart", lambda text, **options: taken.append(len(text)) or take_apart(text, **options)
    )
    columns = [f"c{n}" for n in range(500)]
    line = b'a"\t"c\n'
    limits = Limits(row_bytes=4096)
    data = table(("text", "label", *columns)) + line * 3_000
    verify(lambda: io.BytesIO(data), text_spec(limits=limits))
    assert sum(taken) < 10 * records_module._LOOKS * limits.row_bytes + 4 * len(data)


def test_a_row_without_end_is_not_held(peak: PeakMemory):
    endless = itertools.chain([b"text\tlabel\n"], itertools.repeat(b"x" * 2**20, 200), [b"\t1\nb\t0\n"])
    with peak:
        report = verify(lambda: Generated(endless), text_spec())
    assert {(FaultKind.ROW_TOO_LONG, None, (2,))} < places(report)
    assert report.rows == 2
    assert peak.bytes < 120 * 2**20


def test_memory_does_not_grow_with_the_file(peak: PeakMemory):
    line = ("a text of words that are ordinary " * 600).encode()
    pieces = itertools.chain(
        [b"text\tlabel\n"], (b"".join(b"%s%d\t%d\n" % (line, n, n % 2) for n in range(40)) for _ in range(60))
    )
    with peak:
        report = verify(lambda: Generated(pieces), text_spec())
    assert report.is_clean
    assert report.size > 48_000_000
    assert peak.bytes < 16 * 2**20


@pytest.mark.second_tier
def test_a_file_of_a_million_rows():
    pieces = (
        b"".join(b"text number %d\t%d\n" % (n + k, k % 2) for k in range(10_000)) for n in range(0, 1_000_000, 10_000)
    )
    report = verify(lambda: Generated(itertools.chain([b"text\tlabel\n"], pieces)), text_spec())
    assert report.is_clean
    assert report.rows == 1_000_000
    assert report.warnings == ()
    assert report.label_counts == {"label": {"0": 500_000, "1": 500_000}}


class PeakMemory:
    """What Python and numpy allocate at most while it is entered."""

    def __init__(self) -> None:
        self.bytes = 0

    def __enter__(self) -> None:
        tracemalloc.start()

    def __exit__(self, *_error: object) -> None:
        self.bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()


@pytest.fixture
def peak() -> PeakMemory:
    return PeakMemory()


def test_the_stream_is_closed_in_the_end():
    stream = io.BytesIO(table(HEAD, ("a", "0"), ("b", "1")))
    verify(lambda: stream, text_spec())
    assert stream.closed


def test_a_stream_that_fails_is_no_fault_of_the_file():
    class Failing(io.RawIOBase):
        def read(self, _size: int = -1, /) -> bytes:
            raise OSError("the connection was lost")

    with pytest.raises(OSError, match="lost"):
        verify(Failing, text_spec())
