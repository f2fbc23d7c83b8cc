"""Every kind of fault, with its place."""

from __future__ import annotations

import gzip

import pytest

from datasets.made import (
    IMAGE_HEADER,
    Place,
    binary,
    both_spec,
    image_row,
    image_spec,
    in_base64,
    picture,
    places,
    read,
    table,
    text_spec,
)
from mop.datasets.reading import DatasetSpec, FaultKind, LabelColumn, LabelType, Limits

K = FaultKind
HEAD = ("text", "label")
PNG = picture()
IMAGE = in_base64(PNG)
BOTH = ("text", "image_0", "image_1", "label")
MULTI = LabelColumn(header="label", label_type=LabelType.MULTI_LABEL, size=3)
ORDINAL = LabelColumn(header="label", label_type=LabelType.ORDINAL, labels=("low", "middle", "high"))


def images(*rows: tuple[object, ...]) -> bytes:
    """An Image file of sound rows around those that are given."""
    return table(IMAGE_HEADER, image_row(PNG, label="0"), *rows, image_row(PNG, label="1"))


def both(*rows: tuple[str, ...], header: tuple[str, ...] = BOTH) -> bytes:
    return table(header, *rows, ("end", *[""] * (len(header) - 2), "1"), ("end", *[""] * (len(header) - 2), "0"))


CASES: dict[str, tuple[bytes, DatasetSpec, set[Place]]] = {
    "nothing at all": (b"", text_spec(), {(K.EMPTY_FILE, None, ())}),
    "a header alone": (table(HEAD), text_spec(), {(K.NO_ROWS, None, ())}),
    "byte order mark": (
        b"\xef\xbb\xbf" + table(HEAD, ("a", "0"), ("b", "1")),
        text_spec(),
        {(K.BYTE_ORDER_MARK, None, (1,))},
    ),
    "Latin-1": (
        table(HEAD, ("a", "0"), ("caf\xe9".encode("latin-1"), "1")),
        text_spec(),
        {(K.NOT_UTF_8, "text", (3,))},
    ),
    "Latin-1 in quotes": (
        table(HEAD, ("a", "0"), ('"caf\xe9"'.encode("latin-1"), "1"), ("b", "1")),
        text_spec(),
        {(K.NOT_UTF_8, "text", (3,))},
    ),
    "UTF-16": (table(HEAD, ("a", "0"), ("b", "1")).decode().encode("utf-16"), text_spec(), {(K.NOT_UTF_8, None, (1,))}),
    "UTF-16 without a mark": (
        table(HEAD, ("a", "0"), ("b", "1")).decode().encode("utf-16-be"),
        text_spec(),
        {(K.NOT_UTF_8, None, (1,))},
    ),
    "compressed": (gzip.compress(table(HEAD, ("a", "0"), ("b", "1"))), text_spec(), {(K.NOT_TEXT, None, ())}),
    "a workbook": (b"PK\x03\x04" + bytes(60), text_spec(), {(K.NOT_TEXT, None, ())}),
    "a header alone that begins as a picture does": (
        b"\xff\xd8" + table(("", "label"), ("a", "0"), ("b", "1")),
        text_spec(),
        {(K.NOT_UTF_8, None, (1,)), (K.MISSING_HEADER, "text", (1,))},
    ),
    "commas throughout": (b"text,label\na,0\nb,1\n", text_spec(), {(K.COMMA_INSTEAD_OF_TAB, None, (1,))}),
    "commas in a row": (
        table(HEAD, ("a", "0"), ("b,1",), ("c", "1")),
        text_spec(),
        {(K.COMMA_INSTEAD_OF_TAB, None, (3,))},
    ),
    "semicolons": (b"text;label\na;0\nb;1\n", text_spec(), {(K.WRONG_DELIMITER, None, (1,))}),
    "spaces": (b"text    label\na    0\n", text_spec(), {(K.WRONG_DELIMITER, None, (1,))}),
    "too many columns": (
        table(("text", "label", *"abcdef"), ("a", "0", *"abcdef")),
        text_spec(limits=Limits(columns=7)),
        {(K.TOO_MANY_COLUMNS, None, (1,))},
    ),
    "a label column is missing": (
        table(("text", "Label"), ("a", "0"), ("b", "1")),
        text_spec(),
        {(K.MISSING_HEADER, "label", (1,))},
    ),
    "no header row": (
        table(("a secret", "0"), ("b", "1")),
        text_spec(),
        {(K.MISSING_HEADER, "text", (1,)), (K.MISSING_HEADER, "label", (1,))},
    ),
    "a header twice": (
        table(("text", "label", "text"), ("a", "0", "b"), ("c", "1", "d")),
        text_spec(),
        {(K.DUPLICATE_HEADER, "text", (1,))},
    ),
    "an empty header": (
        table(("text", "label", ""), ("a", "0", "b"), ("c", "1", "d")),
        text_spec(),
        {(K.EMPTY_CELL, "column 3", (1,))},
    ),
    "image columns with a gap": (
        both(("a", "", "", "0"), header=("text", "image_0", "image_2", "label")),
        both_spec(),
        {(K.IMAGE_COLUMN_GAP, "image_1", (1,))},
    ),
    "a 21st image column": (
        both(header=("text", *(f"image_{n}" for n in range(21)), "label")),
        both_spec(),
        {(K.IMAGE_COLUMN_GAP, "image_20", (1,)), (K.EMPTY_CELL, "image_20", (2, 3))},
    ),
    "image cells with a gap": (both(("a", "", IMAGE, "0")), both_spec(), {(K.IMAGE_COLUMN_GAP, "image_1", (2,))}),
    "a quote that is not closed": (
        table(HEAD, ("a", "0"), ('"b', "1"), ("c", "1")),
        text_spec(),
        {(K.UNBALANCED_QUOTES, "text", (3,))},
    ),
    "quotes that are never closed, again and again": (
        table(HEAD, *[('"b', "1")] * 3, ("c", "1"), ("d", "0")),
        text_spec(),
        {(K.UNBALANCED_QUOTES, "text", (2, 3, 4))},
    ),
    "text behind a closing quote": (
        table(HEAD, ("a", "0"), ('"b"c', "1"), ("c", "1")),
        text_spec(),
        {(K.UNBALANCED_QUOTES, "text", (3,))},
    ),
    "a quote inside quotes is not doubled": (
        table(HEAD, ("a", "0"), ('"say "no" now"', "1"), ("c", "1")),
        text_spec(),
        {(K.UNBALANCED_QUOTES, "text", (3,))},
    ),
    "a cell too many": (
        table(HEAD, ("a", "0"), ("b", "1", "x"), ("c", "1")),
        text_spec(),
        {(K.RAGGED_ROW, None, (3,))},
    ),
    "a cell too few": (table(HEAD, ("a", "0"), ("b",), ("c", "1")), text_spec(), {(K.RAGGED_ROW, None, (3,))}),
    "a blank line": (table(HEAD, ("a", "0"), ("c", "1")) + b"\n", text_spec(), {(K.RAGGED_ROW, None, (4,))}),
    "a long row": (
        table(HEAD, ("a", "0"), ("b" * 5000, "1"), ("c", "1")),
        text_spec(limits=Limits(row_bytes=4000)),
        {(K.ROW_TOO_LONG, None, (3,))},
    ),
    "a line feed in a cell": (
        table(HEAD, ("a", "0"), ('"b\nb"', "1"), ("c", "1"), ("d",)),
        text_spec(),
        {(K.LINE_BREAK, "text", (3,)), (K.RAGGED_ROW, None, (5,))},
    ),
    "a carriage return in a cell": (
        table(HEAD, ("a", "0"), ("b\rb", "1"), ('"c\r\nc"', "1")),
        text_spec(),
        {(K.LINE_BREAK, "text", (3, 4))},
    ),
    "an empty text": (table(HEAD, ("a", "0"), ("", "1"), ("c", "1")), text_spec(), {(K.EMPTY_CELL, "text", (3,))}),
    "empty quotes": (table(HEAD, ("a", "0"), ('""', "1"), ("c", "1")), text_spec(), {(K.EMPTY_CELL, "text", (3,))}),
    "an empty cell of a column that nobody named": (
        table(("text", "label", "x"), ("a", "0", "x"), ("b", "1", "")),
        text_spec(),
        {(K.EMPTY_CELL, "column 3", (3,))},
    ),
    "no base64": (images(image_row("%%%", label="1")), image_spec(), {(K.BAD_BASE64, "base64_image", (3,))}),
    "base64 without padding": (
        images(image_row(in_base64(PNG + b"x" * (2 - len(PNG) % 3 + 2)).rstrip("="), label="1")),
        image_spec(),
        {(K.BAD_BASE64, "base64_image", (3,))},
    ),
    "a data url": (
        images(image_row("data:image/png;base64," + IMAGE, label="1")),
        image_spec(),
        {(K.BAD_BASE64, "base64_image", (3,))},
    ),
    "no image": (
        images(image_row(b"%PDF-1.7 and so on", label="1")),
        image_spec(),
        {(K.NOT_AN_IMAGE, "base64_image", (3,))},
    ),
    "a truncated image": (
        images(image_row(PNG[: len(PNG) // 2], label="1")),
        image_spec(),
        {(K.BROKEN_IMAGE, "base64_image", (3,))},
    ),
    "too many pixels": (
        images(image_row(picture(100, 100), width=100, height=100, label="1")),
        image_spec(pixels=9_999),
        {(K.TOO_MANY_PIXELS, "base64_image", (3,))},
    ),
    "an image that needs more memory than it may": (
        images(image_row(picture(100, 100, form="WEBP"), width=100, height=100, label="1")),
        image_spec(image_memory_bytes=150_000),
        {(K.IMAGE_NEEDS_MEMORY, "base64_image", (3,))},
    ),
    "wrong width": (
        images(image_row(PNG, width=9, label="1")),
        image_spec(),
        {(K.WRONG_IMAGE_SIZE, "image_width_pixels", (3,))},
    ),
    "wrong height": (
        images(image_row(PNG, height=8, label="1"), image_row(PNG, height=7, label="1")),
        image_spec(),
        {(K.WRONG_IMAGE_SIZE, "image_height_pixels", (3, 4))},
    ),
    "a height of 6.0": (
        images(image_row(PNG, height="6.0", label="1")),
        image_spec(),
        {(K.NOT_A_POSITIVE_INTEGER, "image_height_pixels", (3,))},
    ),
    "a width of 0": (
        images(image_row(PNG, width=0, label="1")),
        image_spec(),
        {(K.NOT_A_POSITIVE_INTEGER, "image_width_pixels", (3,))},
    ),
    "a file name without extension": (
        images(image_row(PNG, name="cat", label="1")),
        image_spec(),
        {(K.FILE_NAME_WITHOUT_EXTENSION, "file_name", (3,))},
    ),
    "placeholders out of order": (
        both(("a ##{image_1} ##{image_0}", IMAGE, IMAGE, "0")),
        both_spec(),
        {(K.PLACEHOLDER_ORDER, "text", (2,))},
    ),
    "placeholders that do not begin with 0": (
        both(("a ##{image_1}", IMAGE, IMAGE, "0")),
        both_spec(),
        {(K.PLACEHOLDER_ORDER, "text", (2,))},
    ),
    "a placeholder twice": (
        both(("a ##{image_0} ##{image_0}", IMAGE, "", "0")),
        both_spec(),
        {(K.PLACEHOLDER_REPEATED, "text", (2,))},
    ),
    "a placeholder without image": (
        both(("a", IMAGE, "", "0"), ("a ##{image_0} ##{image_1}", IMAGE, "", "0")),
        both_spec(),
        {(K.PLACEHOLDER_WITHOUT_IMAGE, "image_1", (3,))},
    ),
    "a placeholder without image column": (
        both(("##{image_0}##{image_1}##{image_2}", IMAGE, IMAGE, "0")),
        both_spec(),
        {(K.PLACEHOLDER_WITHOUT_IMAGE, "text", (2,))},
    ),
    "a broken second image": (
        both(("##{image_0} ##{image_1}", IMAGE, in_base64(PNG[:60]), "0")),
        both_spec(),
        {(K.BROKEN_IMAGE, "image_1", (2,))},
    ),
    "a label that is neither 0 nor 1": (
        table(HEAD, ("a", "0"), ("b", "2"), ("c", "1"), ("d", "yes")),
        text_spec(),
        {(K.LABEL_NOT_OF_TASK, "label", (3, 5))},
    ),
    "a level that the task does not have": (
        table(HEAD, ("a", "low"), ("b", "High"), ("c", "high")),
        text_spec(ORDINAL),
        {(K.LABEL_NOT_OF_TASK, "label", (3,))},
    ),
    "one class only": (table(HEAD, ("a", "0"), ("b", "0")), text_spec(), {(K.ONE_CLASS_ONLY, "label", ())}),
    "fewer labels than the label size": (
        table(HEAD, ("a", "x"), ("b", "y")),
        text_spec(MULTI),
        {(K.LABEL_SIZE, "label", ())},
    ),
    "more labels than a task can have": (
        table(HEAD, *((f"a{n}", f"label {n}") for n in range(22))),
        text_spec(MULTI),
        {(K.LABEL_SIZE, "label", (22, 23))},
    ),
    "too many group values": (
        table((*HEAD, "group"), *((f"a{n}", str(n % 2), f"group {n}") for n in range(53))),
        text_spec(group_columns=("group",)),
        {(K.TOO_MANY_GROUP_VALUES, "group", (52, 53, 54))},
    ),
    "too many languages": (
        table((*HEAD, "language"), *((f"a{n}", str(n % 2), str(n)) for n in range(4))),
        text_spec(language_column="language", limits=Limits(group_values=3)),
        {(K.TOO_MANY_GROUP_VALUES, "language", (5,))},
    ),
    "texts as group values": (
        table((*HEAD, "group"), ("a", "0", "x" * 101), ("b", "1", "y")),
        text_spec(group_columns=("group",)),
        {(K.VALUE_TOO_LONG, "group", (2,))},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_found_at_its_place_and_nothing_else(name: str):
    data, spec, expected = CASES[name]
    assert places(read(data, spec)) == expected


def test_every_kind_of_fault_has_a_case():
    found = {kind for _, _, expected in CASES.values() for kind, _, _ in expected}
    assert found == {kind for kind in FaultKind if not kind.is_warning}


def test_utf_16_is_told_by_its_encoding():
    data = table(HEAD, ("a", "0"), ("b", "1")).decode().encode("utf-16")
    assert (K.NOT_UTF_8, None, (1,)) in places(read(data, text_spec()))


def test_a_row_that_repeats_an_earlier_input_is_a_warning():
    report = read(table(HEAD, ("a", "0"), ("b", "1"), ("a", "0"), ('"b"', "0"), ("c", "0")), text_spec())
    assert report.is_clean
    (warning,) = report.warnings
    assert (warning.kind, warning.count, warning.rows) == (K.DUPLICATE_ROW, 2, (4, 5))


def test_the_first_20_rows_of_each_kind_in_each_column_are_listed_and_all_are_counted():
    rows = [(f"a{n}", "x", "y") for n in range(25)]
    report = read(table(("text", "label", "other"), *rows), text_spec(binary(), binary("other")))
    assert [(fault.column, fault.count, fault.rows) for fault in report.faults] == [
        ("label", 25, tuple(range(2, 22))),
        ("other", 25, tuple(range(2, 22))),
    ]


def test_several_faults_of_a_file_are_all_reported():
    report = read(
        table(("text", "label", "other"), ("a", "0", "1"), ("", "5", "1"), ("c",), ('"d', "0", "1"), ("e", "1", "1")),
        text_spec(binary(), binary("other")),
    )
    assert places(report) == {
        (K.EMPTY_CELL, "text", (3,)),
        (K.LABEL_NOT_OF_TASK, "label", (3,)),
        (K.RAGGED_ROW, None, (4,)),
        (K.UNBALANCED_QUOTES, "text", (5,)),
        (K.ONE_CLASS_ONLY, "other", ()),
    }
    assert report.rows == 5


def test_a_fault_of_one_label_column_concerns_its_dataset_alone():
    report = read(
        table(("text", "label", "other"), ("a", "0", "1"), ("b", "5", "0"), ("c", "1", "1")),
        text_spec(binary(), binary("other")),
    )
    assert [fault.kind for fault in report.faults_of("label", frozenset({"other"}))] == [K.LABEL_NOT_OF_TASK]
    assert report.faults_of("other", frozenset({"label"})) == ()
    assert report.label_counts == {"other": {"1": 2, "0": 1}}


def test_a_fault_of_the_file_concerns_all_its_datasets():
    report = read(
        table(("text", "label", "other"), ("", "0", "1"), ("b", "1", "")), text_spec(binary(), binary("other"))
    )
    assert [fault.column for fault in report.faults_of("label", frozenset({"other"}))] == ["text", "other"]


def test_no_report_quotes_a_cell_unless_it_is_asked_to():
    secret = "hidden words"
    data = table(
        (*HEAD, secret, "group"),
        (secret, secret, secret, secret * 20),
        (f'"{secret}', "1", "", "x"),
        (secret, secret, secret, "y", secret),
        (secret.encode() + b"\xff", "1", secret, "y"),
    )
    spec = text_spec(group_columns=("group",))
    report = read(data, spec)
    assert len(report.faults) == 5
    assert secret not in repr(report)
    quoted = read(data, spec, quotes_cells=True)
    assert any(secret in (quote or "") for fault in quoted.faults for quote in fault.quotes)
    assert secret not in str(quoted.to_dict())


def test_a_file_without_a_header_row_is_not_quoted_by_its_columns():
    secret = "hidden words"
    report = read(table((secret, "0", secret), (secret, "", "x")), text_spec())
    assert "column 3" in {fault.column for fault in report.faults}
    assert secret not in repr(report)
