"""What a row's input columns must hold, by modality."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from mop.datasets.reading.columns import Header
from mop.datasets.reading.faults import FaultKind
from mop.datasets.reading.images import examine, positive_integer
from mop.datasets.reading.spec import DatasetSpec, Limits, Modality

PLACEHOLDER = re.compile(rb"##\{image_([0-9]+)\}")
_FILE_NAME_BYTES = 255  # the limit of file systems
_FILE_NAME = re.compile(r"(?s)[^/\\]*[^./\\]\.[A-Za-z0-9]{1,10}")


class CellFault(NamedTuple):
    """A fault of one cell: its kind and the index of its column."""

    kind: FaultKind
    column: int


class InputCheck(Protocol):
    """Checks the input columns of one modality.

    Attributes:
        checks_cells: whether there is anything to find; any text is right.
        may_be_empty: indexes of columns whose cells may be empty.
    """

    checks_cells: bool
    may_be_empty: frozenset[int]

    def faults(self, cells: list[bytes]) -> Iterator[CellFault]:
        """What is wrong with a row's input; its cells are UTF-8 and as many as the header's."""
        ...

    def content(self, cells: list[bytes]) -> bytes:
        """What makes two rows the same input."""
        ...


def input_check(header: Header, spec: DatasetSpec) -> InputCheck | None:
    """The check of the spec's modality; None if input columns are missing."""
    needed = {Modality.TEXT: ("text",), Modality.IMAGE: ("base64_image",), Modality.IMAGE_AND_TEXT: ("text",)}
    if any(name not in header.place for name in needed[spec.modality]):
        return None
    if spec.modality == Modality.TEXT:
        return _Text(header.place["text"])
    return (_Image if spec.modality == Modality.IMAGE else _ImageAndText)(header, spec.limits)


class _Text:
    checks_cells = False
    may_be_empty: frozenset[int] = frozenset()

    def __init__(self, text: int) -> None:
        self._text = text

    def faults(self, _cells: list[bytes]) -> Iterator[CellFault]:
        return iter(())

    def content(self, cells: list[bytes]) -> bytes:
        return cells[self._text]


class _Image:
    checks_cells = True
    may_be_empty: frozenset[int] = frozenset()

    def __init__(self, header: Header, limits: Limits) -> None:
        self._image = header.place["base64_image"]
        self._sizes = (header.place.get("image_width_pixels"), header.place.get("image_height_pixels"))
        self._file_name = header.place.get("file_name")
        self._limits = limits

    def faults(self, cells: list[bytes]) -> Iterator[CellFault]:
        cell = cells[self._image]
        fault, actual = examine(cell, self._limits) if cell else (None, None)
        if fault is not None:
            yield CellFault(fault, self._image)
        for axis, column in enumerate(self._sizes):
            if column is None or not cells[column]:
                continue
            stated = positive_integer(cells[column])
            if stated is None:
                yield CellFault(FaultKind.NOT_A_POSITIVE_INTEGER, column)
            elif actual is not None and stated != actual[axis]:
                yield CellFault(FaultKind.WRONG_IMAGE_SIZE, column)
        if self._file_name is not None and (name := cells[self._file_name]) and not _is_file_name(name):
            yield CellFault(FaultKind.FILE_NAME_WITHOUT_EXTENSION, self._file_name)

    def content(self, cells: list[bytes]) -> bytes:
        return cells[self._image]


def _is_file_name(name: bytes) -> bool:
    return len(name) <= _FILE_NAME_BYTES and _FILE_NAME.fullmatch(name.decode()) is not None


class _ImageAndText:
    checks_cells = True

    def __init__(self, header: Header, limits: Limits) -> None:
        self.may_be_empty = frozenset(header.images)
        self._text = header.place["text"]
        self._images = header.images
        self._limits = limits

    def faults(self, cells: list[bytes]) -> Iterator[CellFault]:
        yield from self._placeholders(cells)
        was_empty = False
        row_bytes = sum(map(len, cells))
        for column in self._images:
            cell = cells[column]
            if cell and was_empty:
                yield CellFault(FaultKind.IMAGE_COLUMN_GAP, column)
            was_empty = not cell
            if cell and (fault := examine(cell, self._limits, row_bytes=row_bytes).fault) is not None:
                yield CellFault(fault, column)

    def _placeholders(self, cells: list[bytes]) -> Iterator[CellFault]:
        """At most one fault of each kind, so that a text of a thousand placeholders is one faulty row."""
        numbers = [match[1] for match in PLACEHOLDER.finditer(cells[self._text])]
        if not numbers:
            return
        if len(set(numbers)) < len(numbers):
            yield CellFault(FaultKind.PLACEHOLDER_REPEATED, self._text)
        different = list(dict.fromkeys(numbers))
        if different != [b"%d" % number for number in range(len(different))]:
            yield CellFault(FaultKind.PLACEHOLDER_ORDER, self._text)
        filled = {b"%d" % number for number, column in enumerate(self._images) if cells[column]}
        if missing := [number for number in different if number not in filled]:
            empty = {b"%d" % number: column for number, column in enumerate(self._images)}
            yield CellFault(FaultKind.PLACEHOLDER_WITHOUT_IMAGE, empty.get(missing[0], self._text))

    def content(self, cells: list[bytes]) -> bytes:
        return b"\t".join([cells[self._text], *(cells[column] for column in self._images)])
