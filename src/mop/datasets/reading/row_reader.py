"""The rows of a verified file, for the evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mop.datasets.reading.columns import Header, read_header
from mop.datasets.reading.faults import FaultLog
from mop.datasets.reading.images import positive_integer
from mop.datasets.reading.records import RecordReader
from mop.datasets.reading.spec import DatasetSpec, Modality
from mop.datasets.reading.verification import OpenStream
from mop.datasets.reading.window import Window


class NotAsVerifiedError(Exception):
    """The file is not the one that was verified: a row is not as the spec says. The text holds no cell."""


@dataclass(frozen=True)
class Row:
    """One sample. It is hidden content: it goes to the model's process and nowhere else.

    Attributes:
        number: 2 for the first one, as in a report's faults.
        item: the MOP input: `text`; or `image`, `width`, `height`; or `text` and `images`, in base64.
        labels: of the spec's label columns, in their order.
        slices: values of the spec's group columns, then of its language column.
    """

    number: int
    item: dict[str, Any]
    labels: tuple[str, ...]
    slices: tuple[str, ...]


def rows(open_stream: OpenStream, spec: DatasetSpec, *, after: int = 1) -> Iterator[Row]:
    """The rows of a file that `verify` found clean, in their order and in constant memory.

    Args:
        open_stream: opens the file for bytes; closed when the last row was given or the iterator is closed.
        spec: that of the verification, or one with fewer label and group columns.
        after: number of the last row that is not wanted, to go on where an evaluation stopped. Rows before cost a
            search for line feeds only.

    Raises:
        NotAsVerifiedError: the file is another one than the verified.
        OSError: the stream cannot be read.
    """
    with open_stream() as stream:
        window = Window(stream)
        records = RecordReader(window, columns=0, row_bytes=spec.limits.row_bytes)
        head, log = records.next(), FaultLog(places=1)
        header = read_header(head.cells, spec, log) if head and head.cells and not head.fault else None
        if header is None or log:
            raise NotAsVerifiedError("The header is not the one that was verified.")
        records.columns = header.count
        item = _ITEMS[spec.modality]
        labels = [header.place[label.header] for label in spec.labels]
        slices = [header.place[column] for column in spec.slice_columns]
        number = 1
        while number < after:  # a verified file has no line break within a cell
            if not window.held and not window.extend():
                return
            window.skip_line()
            number += 1
        while record := records.next():
            number += 1
            cells = record.cells
            if cells is None or record.fault or len(cells) != header.count:
                raise NotAsVerifiedError(f"Row {number} is not as it was verified.")
            try:
                yield Row(
                    number,
                    item(cells, header),
                    tuple(cells[place].decode() for place in labels),
                    tuple(cells[place].decode() for place in slices),
                )
            except UnicodeDecodeError:
                # its text would hold the cell
                raise NotAsVerifiedError(f"Row {number} is not UTF-8.") from None


def _text_item(cells: list[bytes], header: Header) -> dict[str, Any]:
    return {"text": cells[header.place["text"]].decode()}


def _image_item(cells: list[bytes], header: Header) -> dict[str, Any]:
    place = header.place
    return {
        "image": cells[place["base64_image"]].decode(),
        "width": positive_integer(cells[place["image_width_pixels"]]),
        "height": positive_integer(cells[place["image_height_pixels"]]),
    }


def _image_and_text_item(cells: list[bytes], header: Header) -> dict[str, Any]:
    images = [cells[place].decode() for place in header.images if cells[place]]
    return {"text": cells[header.place["text"]].decode(), "images": images}


_ITEMS = {
    Modality.TEXT: _text_item,
    Modality.IMAGE: _image_item,
    Modality.IMAGE_AND_TEXT: _image_and_text_item,
}
