"""Rows of a CSV or JSONL file of strangers, read from any place on; each becomes a new case or a fault.

A fault says where and why, and quotes nothing of the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from mop.catalog.models import Modality, Task
from mop.dsat.content import CONTENT_BYTES_MAX, FIELDS, IMAGES_MAX
from mop.dsat.inputs import CaseInput, NewCase, new_case
from mop.errors import ValidationFailedError

PART_BYTES = 1 << 20
"""Every part of a file but the last has this size."""
LINE_BYTES_MAX = 2 * CONTENT_BYTES_MAX
_TEXT_FIELDS = ("expected_label", "kind", "predicted_label", "trace_id", "description", "service")
_IMAGE_COLUMN = re.compile(r"image_([0-9]{1,2})")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where to read on.

    Attributes:
        offset: bytes before the next row.
        row: number of the next row; a header is row 1.
        columns: of a CSV file.
    """

    offset: int = 0
    row: int = 1
    columns: tuple[str, ...] = ()
    delimiter: str = ","

    def to_dict(self) -> dict[str, Any]:
        return {"offset": self.offset, "row": self.row, "columns": list(self.columns), "delimiter": self.delimiter}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Place:
        return cls(**{**given, "columns": tuple(given["columns"])})


@dataclass(frozen=True)
class RowFault:
    """Why a row is refused."""

    row: int
    column: str
    reason: str


@dataclass
class Chunk:
    """Rows of a file that were read at once, and where the next ones begin; `is_last`: the file has no more."""

    rows: list[tuple[int, NewCase]] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    refused: int = 0
    read: int = 0
    after: Place = field(default_factory=Place)
    is_last: bool = False


class Lines:
    """Lines of a file that is held in parts; `offset` is where the next line begins."""

    def __init__(self, part: Callable[[int], bytes], offset: int) -> None:
        self._part = part
        self.offset = offset
        number, skipped = divmod(offset, PART_BYTES)
        self._next = number + 1
        self._held = part(number)[skipped:]
        self._place = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        end = self._held.find(b"\n", self._place) + 1
        while not end:
            more = self._part(self._next)
            if not more:
                end = len(self._held)
                break
            self._next += 1
            self._held, self._place = self._held[self._place :] + more, 0
            if len(self._held) > LINE_BYTES_MAX:
                return self._skip_line()
            end = self._held.find(b"\n") + 1
        line = self._held[self._place : end]
        if not line:
            raise StopIteration
        self.offset += len(line)
        self._place = end
        return line

    def _skip_line(self) -> bytes:
        """A line beyond all measure: a NUL stands for it, and its row is refused."""
        while not (end := self._held.find(b"\n") + 1):
            self.offset += len(self._held)
            self._held = self._part(self._next)
            self._next += 1
            if not self._held:
                return b"\0\n"
        self.offset += end
        self._place = end
        return b"\0\n"


def begin_csv(task: Task, lines: Lines) -> Place:
    """Read the header of a CSV file: columns in any order, separated by commas, semicolons or tabs.

    Raises:
        ValidationFailedError: the header cannot be used; the message names places, not what stands there.
    """
    line = next(lines, b"")
    try:
        text = line.removeprefix(_BOM).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise _refused("The file is not UTF-8.") from None
    if "\0" in text:
        raise _refused("The file is not UTF-8; it looks like UTF-16.")
    delimiter = max(",;\t", key=text.count)
    try:
        columns = tuple(name.strip() for name in next(csv.reader([text], delimiter=delimiter, strict=True), []))
    except csv.Error:
        raise _refused("The header is no line of CSV.") from None
    known = known_columns(task.modality)
    unknown = [place for place, name in enumerate(columns, 1) if name not in known]
    if unknown:
        places = ", ".join(str(place) for place in unknown[:10])
        raise _refused(f"Row 1 must name the columns. Unknown: column {places}. Known are {', '.join(known)}.")
    if len(set(columns)) < len(columns):
        raise _refused("A column stands twice in the header.")
    needed = known[0]
    if needed not in columns:
        raise _refused(f"The column {needed} is missing.")
    if not {"expected_label", "kind"} & set(columns):
        raise _refused("A column expected_label or kind is needed.")
    return Place(offset=lines.offset, row=2, columns=columns, delimiter=delimiter)


def known_columns(modality: str) -> tuple[str, ...]:
    """The columns that a CSV file of a modality may have; the first is needed."""
    if modality == Modality.TEXT:
        own: tuple[str, ...] = ("text",)
    elif modality == Modality.IMAGE:
        own = ("image",)
    else:
        own = ("text", *(f"image_{place}" for place in range(IMAGES_MAX)))
    return (*own, *_TEXT_FIELDS, "tags")


def read_chunk(task: Task, lines: Lines, place: Place, *, is_csv: bool, rows: int, size: int) -> Chunk:
    """Read on from a place, until there are so many rows or bytes.

    Args:
        task: whose cases the rows become.
        lines: at the place.
        place: where the chunk begins.
        is_csv: else every line is a JSON object.
        rows: at most so many.
        size: bytes of the file, after which no further row is begun.
    """
    chunk = Chunk()
    number, begin = place.row, lines.offset
    for given in _csv_rows(lines, place) if is_csv else _json_rows(lines):
        if given is not None:
            chunk.read += 1
            _take(task, number, given, chunk)
        number += 1
        if chunk.read >= rows or lines.offset - begin >= size:
            break
    else:
        chunk.is_last = True
    chunk.after = Place(offset=lines.offset, row=number, columns=place.columns, delimiter=place.delimiter)
    return chunk


def _take(task: Task, number: int, given: CaseInput | str, chunk: Chunk) -> None:
    faults: list[RowFault] = []
    if isinstance(given, str):
        faults.append(RowFault(number, "", given))
    elif new := new_case(task, given, lambda column, reason: faults.append(RowFault(number, column, reason))):
        chunk.rows.append((number, new))
    if faults:
        chunk.refused += 1
        chunk.faults += faults[:5]


def _csv_rows(lines: Lines, place: Place) -> Iterator[CaseInput | str | None]:
    """Inputs, or why a row is none; None for an empty line."""
    reader = csv.reader(
        (line.decode("utf-8", "surrogateescape") for line in lines), delimiter=place.delimiter, strict=True
    )
    image_columns = sorted(filter(_IMAGE_COLUMN.fullmatch, place.columns), key=_image_place)
    while True:
        before = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lost = reader.line_num - before
            yield (
                "A quote is not closed or stands within a cell, or a cell is longer than "
                f"{CONTENT_BYTES_MAX:,} characters." + (f" {lost} lines were skipped." if lost > 1 else "")
            )
            continue
        if not cells:
            yield None
        elif len(cells) != len(place.columns):
            yield f"The row has {len(cells)} cells, and the header names {len(place.columns)}."
        elif "\0" in "".join(cells):
            yield f"The row holds a NUL character, or a line of more than {LINE_BYTES_MAX:,} bytes."
        else:
            yield _csv_input(dict(zip(place.columns, cells, strict=True)), image_columns)


def _csv_input(row: dict[str, str], image_columns: Sequence[str]) -> CaseInput:
    content: dict[str, Any] = {name: row[name] for name in ("text", "image") if name in row}
    if images := [row[name] for name in image_columns]:
        while images and not images[-1]:
            images.pop()
        content["images"] = images
    given: dict[str, Any] = {name: row[name].strip() for name in _TEXT_FIELDS if name in row}
    return CaseInput(content=content, tags=_tags(row.get("tags", "")), **given)


def _image_place(name: str) -> int:
    return int(name.removeprefix("image_"))


def _json_rows(lines: Lines) -> Iterator[CaseInput | str | None]:
    for line in lines:
        text = line.removeprefix(_BOM).strip()
        if not text:
            yield None
            continue
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError:
            yield "The line is no JSON in UTF-8."
            continue
        yield _json_input(row) if isinstance(row, dict) else "The line is no JSON object."


_CONTENT_FIELDS = frozenset(name for names in FIELDS.values() for name in names)
_KNOWN = frozenset({*_TEXT_FIELDS, *_CONTENT_FIELDS, "content", "tags"})


def _json_input(row: dict[str, Any]) -> CaseInput | str:
    if row.keys() - _KNOWN:
        return f"The object has fields that are not known. Known are {', '.join(sorted(_KNOWN))}."
    content = row.get("content", {name: row[name] for name in _CONTENT_FIELDS if name in row})
    tags = row.get("tags", [])
    if not isinstance(content, dict) or ("content" in row and _CONTENT_FIELDS & row.keys()):
        return "Write the content's fields either in the object itself or in an object `content`."
    texts = {name: row[name] for name in _TEXT_FIELDS if row.get(name) is not None}
    if not all(isinstance(value, str) for value in texts.values()):
        return f"{', '.join(_TEXT_FIELDS)} are texts; write labels in quotes."
    if isinstance(tags, str):
        tags = _tags(tags)
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        return "tags is a list of texts."
    return CaseInput(content=content, tags=tags, **texts)


def _tags(cell: str) -> list[str]:
    return [tag for tag in cell.replace(";", ",").split(",") if tag.strip()]


def _refused(message: str) -> ValidationFailedError:
    return ValidationFailedError(f"file: {message}", fields={"file": [message]})
