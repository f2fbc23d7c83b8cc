"""Files of golden sets, CSV and JSONL: rows with the modality's content and a label of the task.

Faults name row and column and quote no cell.
"""

from __future__ import annotations

import csv
import enum
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mop.catalog.models import Modality, Task
from mop.dsat.content import item_bytes
from mop.errors import ValidationFailedError

FILE_BYTES_MAX = 4 * 1024**2  # the portal takes bodies of 5 MiB
ROWS_MAX = 5_000
FAULTS_MAX = 20
LABEL = "label"
_IMAGE_COLUMN = re.compile(r"image_(\d{1,2})")


class FileFormat(enum.StrEnum):
    """What a file is."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True)
class GivenRow:
    """One row of a file: the MOP input as JSON, and the label that is right."""

    content: str
    expected: str


def read_rows(task: Task, content: str, *, form: FileFormat) -> list[GivenRow]:
    """The rows of a file, in their order.

    Raises:
        ValidationFailedError: the file is no golden set of this task; `fields` has the first faults.
    """
    if len(content.encode("utf-8", "surrogatepass")) > FILE_BYTES_MAX:
        raise _wrong([f"The file has more than {FILE_BYTES_MAX // 1024**2} MiB. Split it into several golden sets."])
    found: list[GivenRow] = []
    faults: list[str] = []
    for number, given in enumerate(_READERS[form](task, content.removeprefix("\ufeff")), 1):
        if number > ROWS_MAX:
            raise _wrong([f"The file has more than {ROWS_MAX:,} rows. Split it into several golden sets."])
        try:
            found.append(_row(task, given))
        except ValidationFailedError as error:
            faults.append(f"Row {number}: {error.message}")
            if len(faults) == FAULTS_MAX:
                break
    if faults:
        raise _wrong(faults)
    if not found:
        raise _wrong(["The file has no row."])
    return found


def form_of(name: str) -> FileFormat:
    """The format of a file by its name.

    Raises:
        ValidationFailedError: it is none that is known.
    """
    for form in FileFormat:
        if name.lower().endswith(f".{form}"):
            return form
    raise _wrong(["Give a file whose name ends in .csv or .jsonl."])


Given = Mapping[str, Any] | str
"""The fields of a row, or what is wrong with it."""


def _row(task: Task, given: Given) -> GivenRow:
    if isinstance(given, str):
        raise ValidationFailedError(given)
    label = given.get(LABEL)
    if isinstance(label, int) and not isinstance(label, bool):  # JSON's 1 for the label "1"
        label = str(label)
    if label not in task.labels:
        raise ValidationFailedError(f"{LABEL} is none of {', '.join(task.labels)}.")
    faults: list[str] = []
    fields = {name: value for name, value in given.items() if name != LABEL}
    content = item_bytes(task.modality, fields, lambda field, message: faults.append(f"{field}: {message}"))
    if faults:
        raise ValidationFailedError(" ".join(faults))
    return GivenRow(content.decode(), str(label))


def _csv_rows(task: Task, content: str) -> Iterator[Given]:
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    try:
        header = next(reader, [])
        images = _check_header(task, header)
        for cells in reader:
            yield _of_cells(header, images, cells)
    except csv.Error as error:
        raise _wrong([f"The file is not CSV near line {reader.line_num}: {error}."]) from error


def _check_header(task: Task, header: list[str]) -> list[str]:
    """The columns of an ImageAndText task's images, in order."""
    images = [column for column in header if _IMAGE_COLUMN.fullmatch(column)]
    wanted = {
        Modality.TEXT: [LABEL, "text"],
        Modality.IMAGE: [LABEL, "image"],
        Modality.IMAGE_AND_TEXT: [LABEL, "text", *(f"image_{place}" for place in range(len(images)))],
    }[Modality(task.modality)]
    if sorted(header) != sorted(wanted):
        more = ", and image_0, image_1 … where there are images" if task.modality == Modality.IMAGE_AND_TEXT else ""
        raise _wrong([f"The first line names the columns of a {task.modality} task: {' and '.join(wanted[:2])}{more}."])
    return sorted(images, key=lambda column: int(column.removeprefix("image_")))


def _of_cells(header: list[str], images: list[str], cells: list[str]) -> Given:
    if len(cells) != len(header):
        return f"It has {len(cells)} cells; the first line names {len(header)} columns."
    row = dict(zip(header, cells, strict=True))
    if not images:
        return row
    given = [row.pop(column) for column in images]
    filled = [one for one in given if one]
    if given[: len(filled)] != filled:
        return "An image column is empty before one that is not."
    return {**row, "images": filled}


def _jsonl_rows(_task: Task, content: str) -> Iterator[Given]:
    # by line feeds alone: a text may hold other line separators
    for line in content.split("\n"):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield "It is not JSON."
            continue
        yield row if isinstance(row, dict) else "It is not a JSON object."


_READERS: Mapping[FileFormat, Callable[[Task, str], Iterator[Given]]] = {
    FileFormat.CSV: _csv_rows,
    FileFormat.JSONL: _jsonl_rows,
}


def _wrong(faults: list[str]) -> ValidationFailedError:
    return ValidationFailedError(faults[0], fields={"content": faults}, also=faults[1:])
