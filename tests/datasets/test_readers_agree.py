"""The exact reader against Python's csv module, and the fast path against it, on files that nobody wrote."""

from __future__ import annotations

import csv
import io
import random
from typing import Self

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.made import binary, table, text_spec
from mop.datasets.reading import DatasetSpec, LabelColumn, LabelType, Limits, verify
from mop.datasets.reading.columns import ValueCounts, read_header
from mop.datasets.reading.digests import RowDigests
from mop.datasets.reading.fast import FastReader
from mop.datasets.reading.faults import FaultLog
from mop.datasets.reading.records import RecordReader, is_utf_8
from mop.datasets.reading.window import Window

DIGESTS = RowDigests(seed=1, budget_bytes=0)
HEAD = b"text\tlabel\tgroup\n"
SPEC = text_spec(group_columns=("group",))
PIECES = ('"', '""', "\t", "\n", "\r\n", "\r", "a", "bc", "é", "\0", " ", ",", "\u2028", "\ufeff", "שלום", "0", "1")

# how long data take to make tells of the machine alone
loose = st.lists(st.sampled_from(PIECES), max_size=40).map("".join).map(str.encode)


def quoted(cell: str, *, always: bool) -> str:
    return '"' + cell.replace('"', '""') + '"' if always or any(one in cell for one in '"\t\r\n') else cell


text_cells = st.builds(
    lambda cell, always: quoted(cell, always=always),
    st.lists(st.sampled_from(("a", "bc", '"', "é", " ", "\t", ",", "\0")), min_size=1, max_size=6).map("".join),
    always=st.booleans(),
)
sound_rows = st.tuples(
    text_cells, st.sampled_from(("0", "1", '"1"')), st.sampled_from(("x", "yy", "zzzzzzzzz", '"""q"""'))
)


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """Files that are nearly, or fully, as they should be."""
    rows = draw(st.lists(sound_rows, min_size=1, max_size=12))
    end = draw(st.sampled_from(("\n", "\r\n")))
    data = end.join(["\t".join(row) for row in rows] + [""] * draw(st.integers(0, 1))).encode()
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(data)))
        put = draw(st.sampled_from((b"", b'"', b"\t", b"\n", b"\r", b"\xff", b"2", b'""')))
        data = data[:place] + put + data[place + draw(st.integers(0, 1)) :]
    return HEAD + data


class Trickle:
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._file = io.BytesIO(data)
        self._size = size

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._size))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()


def by_csv(data: bytes) -> list[list[str]] | None:
    """What Python's csv reads; None if it refuses the file."""
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    try:
        return [row or [""] for row in csv.reader(lines, delimiter="\t", strict=True)]
    except (csv.Error, UnicodeDecodeError):
        return None


def by_records(data: bytes) -> list[list[str]] | None:
    """What the exact reader reads; None if it finds a fault."""
    reader = RecordReader(Window(io.BytesIO(data)), columns=3, row_bytes=1000)
    rows: list[list[bytes]] = []
    while True:
        rows += reader.plain()
        if (record := reader.next()) is None:
            break
        if record.fault or record.cells is None:
            return None
        rows.append(record.cells)
    return [[cell.decode() for cell in row] for row in rows] if is_utf_8(data) else None


@given(st.one_of(loose, damaged_files()))
def test_the_exact_reader_and_csv_agree_on_every_file_that_both_accept(data: bytes):
    ours, theirs = by_records(data), by_csv(data)
    if ours is not None and theirs is not None:
        assert ours == theirs


@given(st.one_of(loose, damaged_files()))
def test_what_the_exact_reader_accepts_csv_accepts(data: bytes):
    if by_records(data) is not None:
        assert by_csv(data) is not None


def reports_of(data: bytes, spec: DatasetSpec, size: int) -> tuple[object, object]:
    return tuple(verify(lambda: Trickle(data, size), spec, seed=1, fast=fast) for fast in (True, False))


@given(
    st.one_of(damaged_files(), loose.map(HEAD.__add__)),
    st.sampled_from((16, 40, 10_000)),
    st.sampled_from((1, 7, 10_000)),
)
def test_the_fast_path_never_changes_the_report(data: bytes, row_bytes: int, size: int):
    spec = text_spec(group_columns=("group",), limits=Limits(row_bytes=row_bytes, group_values=3))
    fast, exact = reports_of(data, spec, size)
    assert fast == exact


DAMAGES = (b'"', b"\t", b"\n", b"\r", b"\xff", b"2", b'""', b"\t\t", b'"a\tb', b"\xe2\x82")


@pytest.mark.parametrize("seed", range(25))
def test_lines_in_doubt_among_many_never_change_the_report(seed: int):
    generator = random.Random(seed)  # noqa: S311 - no secret
    ending = generator.choice((b"\n", b"\n", b"\r\n"))
    words = ("a", "bc", "é", 'say "no"', '"say ""no"""', '"with\ttab"', "שלום", "x" * 40)
    lines = [
        "\t".join((generator.choice(words), generator.choice("01"), generator.choice(("x", "yy")))).encode()
        for _ in range(generator.choice((20, 60, 200)))
    ]
    for _ in range(generator.randint(1, 6)):
        number = generator.randrange(len(lines))
        place = generator.randint(0, len(lines[number]))
        lines[number] = lines[number][:place] + generator.choice(DAMAGES) + lines[number][place:]
    data = HEAD + ending.join(lines) + generator.choice((b"", ending))
    for group_values in (3, 50):
        spec = text_spec(group_columns=("group",), limits=Limits(group_values=group_values))
        fast, exact = reports_of(data, spec, 10_000)
        assert fast == exact


def test_a_quote_that_is_closed_lines_later_takes_the_lines_between():
    rows = [f"t{n}\t{n % 2}\tx" for n in range(100)]
    rows[40], rows[43] = '"over', 'several lines"\t1\tx'
    rows[80] = "two cells\t1"
    fast, exact = reports_of(HEAD + "\n".join(rows).encode() + b"\n", SPEC, 10_000)
    assert fast == exact
    assert {(fault.kind.name_in_report, fault.rows) for fault in fast.faults} == {
        ("line-break", (42,)),
        ("ragged-row", (79,)),
    }


def test_a_short_row_before_a_quote_that_takes_lines_is_counted():
    rows = ["a\t0\tx", '"over', 'two lines"\t1\tx', *(f"t{n}\t{n % 2}\tx" for n in range(100))]
    fast, exact = reports_of(HEAD + "\n".join(rows).encode() + b"\n", SPEC, 10_000)
    assert fast == exact
    assert fast.rows == 102


def values_of(spec: DatasetSpec) -> list[ValueCounts]:
    return [
        *map(ValueCounts.of_label, spec.labels),
        *(ValueCounts.of_slices(column, spec.limits.group_values) for column in spec.slice_columns),
    ]


def by_fast_path(body: bytes, spec: DatasetSpec, header: bytes = HEAD) -> object:
    found = read_header(header.rstrip(b"\n").split(b"\t"), spec, FaultLog(places=1))
    return FastReader(found, values_of(spec), DIGESTS).read(body)


@given(damaged_files())
def test_the_fast_path_never_accepts_what_the_exact_reader_refuses(data: bytes):
    body = data[len(HEAD) :]
    body = body[: body.rfind(b"\n") + 1]
    if body and by_fast_path(body, SPEC) is not None:
        report = verify(lambda: io.BytesIO(HEAD + body), SPEC, fast=False)
        assert {fault.kind.name_in_report for fault in report.faults} <= {"one-class-only"}


@pytest.mark.second_tier
def test_twenty_thousand_random_files_are_read_alike():
    generator = random.Random(20261129)  # noqa: S311 - no secret
    taken = 0
    for _ in range(20_000):
        body = "".join(generator.choices(PIECES, weights=(6, 3, 9, 6, 1, 1, 9, 3, 2, 1, 2, 1, 1, 1, 1, 9, 9), k=12))
        data = HEAD + (body + "\n").encode()
        accepted = by_fast_path(data[len(HEAD) :], SPEC) is not None
        taken += accepted
        report = verify(lambda data=data: io.BytesIO(data), SPEC, fast=False)
        assert not accepted or {fault.kind.name_in_report for fault in report.faults} <= {"one-class-only"}
        ours, theirs = by_records(data), by_csv(data)
        assert ours is None or ours == theirs
    assert taken > 10


@pytest.mark.parametrize(
    "body",
    [
        table(("a", "0", "x"), ("b", "1", "y")),
        table(("a", "0", "x"), ("b", "1", "y")).replace(b"\n", b"\r\n"),
        table(('"say ""no"""', "0", "x"), ('5" pipe', "1", "y"), ('"""q"""', "1", '"z"')),
        table(("مرحبا بالعالم", "0", "x"), ("NUL \0 inside", "1", "a group of many letters")),
    ],
    ids=["plain", "CRLF", "quotes", "right-to-left and NUL"],
)
def test_the_fast_path_takes_ordinary_blocks(body: bytes):
    batch = by_fast_path(body, SPEC)
    assert batch is not None
    assert batch.digests == DIGESTS.of(row[0].encode() for row in by_csv(body) or [])


def test_the_fast_path_counts_values_of_all_lengths():
    labels = tuple("abcdefgh"[:n] for n in range(1, 9))
    column = LabelColumn(header="label", label_type=LabelType.MULTI_LABEL, labels=labels)
    body = table(*((f"t{n}", labels[n % 5], f"g{n % 3}") for n in range(100)))
    batch = by_fast_path(body, text_spec(column, group_columns=("group",)))
    assert batch.values == [{label.encode(): 20 for label in labels[:5]}, {b"g0": 34, b"g1": 33, b"g2": 33}]


def test_values_with_the_same_sum_are_told_apart(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mop.datasets.reading.fast._FACTORS", np.zeros(5, dtype=np.uint64))
    body = table(*((f"t{n}", "0", f"group {n % 3}") for n in range(9)))
    assert by_fast_path(body, SPEC).values[1] == {b"group 0": 3, b"group 1": 3, b"group 2": 3}


@pytest.mark.parametrize("length", [2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 60])
def test_values_of_any_length_are_counted(length: int):
    values = ["x" * length, "x" * (length - 1) + "y", "z" + "x" * (length - 1), "x" * (length - 1)]
    body = table(*((f"t{n}", "0", values[n % 4]) for n in range(12)))
    assert by_fast_path(body, SPEC).values[1] == {value.encode(): 3 for value in values}


def test_a_value_with_a_nul_is_another_than_without():
    body = table(("a", "0", "x"), ("b", "1", "x\0"))
    assert by_fast_path(body, text_spec(binary(), group_columns=("group",))).values[1] == {b"x": 1, b"x\0": 1}
