from __future__ import annotations

import io

import pytest

from datasets.made import IMAGE_HEADER, binary, both_spec, image_row, image_spec, in_base64, picture, table, text_spec
from mop.datasets.reading import NotAsVerifiedError, Row, rows

HEAD = ("text", "label", "group", "language", "other")
DATA = table(HEAD, *((f"text {n}", str(n % 2), f"g{n % 3}", "en", "x") for n in range(10)))
SPEC = text_spec(group_columns=("group",), language_column="language")


def test_rows_carry_number_item_labels_and_slices():
    found = list(rows(lambda: io.BytesIO(DATA), SPEC))
    assert len(found) == 10
    assert found[4] == Row(6, {"text": "text 4"}, ("0",), ("g1", "en"))


@pytest.mark.parametrize("after", [1, 2, 5, 10, 11, 12, 100])
def test_reading_goes_on_behind_any_row(after: int):
    whole = list(rows(lambda: io.BytesIO(DATA), SPEC))
    assert list(rows(lambda: io.BytesIO(DATA), SPEC, after=after)) == [row for row in whole if row.number > after]


def test_labels_come_in_the_order_of_the_spec():
    data = table(("a", "text", "b"), ("0", "t", "1"), ("1", "u", "0"))
    assert [row.labels for row in rows(lambda: io.BytesIO(data), text_spec(binary("b"), binary("a")))] == [
        ("1", "0"),
        ("0", "1"),
    ]


def test_an_image_comes_with_its_size():
    data = table(IMAGE_HEADER, image_row(picture(), label="0"))
    (row,) = rows(lambda: io.BytesIO(data), image_spec())
    assert row.item == {"image": in_base64(picture()), "width": 8, "height": 6}


def test_images_of_a_text_come_without_the_empty_cells():
    image = in_base64(picture())
    data = table(("image_1", "label", "text", "image_0"), ("", "0", "a ##{image_0}", image), (image, "1", "b", image))
    assert [row.item for row in rows(lambda: io.BytesIO(data), both_spec())] == [
        {"text": "a ##{image_0}", "images": [image]},
        {"text": "b", "images": [image, image]},
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        table(("text", "x"), ("secret", "0")),
        table(("text", "label"), ("secret",)),
        table(("text", "label"), (b"secret \xff", "0")),
        table(("text", "label"), ('"secret', "0")),
        table(("text", "label"), ('"sec\nret"', "0")),
    ],
    ids=["empty", "header", "ragged", "not UTF-8", "quotes", "line break"],
)
def test_another_file_than_the_verified_is_refused_and_not_quoted(data: bytes):
    with pytest.raises(NotAsVerifiedError) as caught:
        list(rows(lambda: io.BytesIO(data), text_spec()))
    assert "sec" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_stream_is_closed_when_nobody_wants_further_rows():
    stream = io.BytesIO(DATA)
    reading = rows(lambda: stream, SPEC)
    next(reading)
    reading.close()
    assert stream.closed
