"""What stands in the columns: the header, and the values of label and group columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mop.datasets.reading.faults import FaultKind, FaultLog
from mop.datasets.reading.spec import MOST_IMAGES, MOST_LABELS, DatasetSpec, LabelColumn, Modality, image_number

VALUE_CHARACTERS = 100


@dataclass(frozen=True)
class Header:
    """The columns of a file.

    Attributes:
        count: how many there are.
        place: index of each column that the spec knows.
        images: indexes of image_0, image_1 and so on of ImageAndText.
    """

    count: int
    place: dict[str, int]
    images: tuple[int, ...]
    _names: dict[int, str] = field(default_factory=dict)

    def name_of(self, index: int | None) -> str | None:
        """How a report calls a column: its header if the spec knows it, else its number.

        A file without a header row begins with cells, which no report may hold.
        """
        return None if index is None else self._names.get(index, f"column {index + 1}")


def read_header(cells: list[bytes], spec: DatasetSpec, log: FaultLog) -> Header:
    """The header of the file's first row; what is wrong with it is noted at row 1."""
    headers = [cell.decode("utf-8", "replace") for cell in cells]
    place: dict[str, int] = {}
    known = frozenset(spec.required)
    for index, header in enumerate(headers):
        if (header in known or spec.is_input(header)) and header not in place:
            place[header] = index
    names = {index: header for header, index in place.items()}
    found = Header(len(headers), place, _image_columns(place, spec), names)
    seen: set[str] = set()
    for index, (header, cell) in enumerate(zip(headers, cells, strict=True)):
        name = header if header in place else found.name_of(index)
        if not header:
            log.add(FaultKind.EMPTY_CELL, row=1, column=name)
        elif header in seen:
            log.add(FaultKind.DUPLICATE_HEADER, row=1, column=name, cell=cell)
        seen.add(header)
    for header in spec.required:
        if header not in place:
            log.add(FaultKind.MISSING_HEADER, row=1, column=header)
    if spec.modality == Modality.IMAGE_AND_TEXT:
        _check_image_columns(place, log)
    return found


def _image_columns(place: dict[str, int], spec: DatasetSpec) -> tuple[int, ...]:
    if spec.modality != Modality.IMAGE_AND_TEXT:
        return ()
    return tuple(place[header] for number in range(MOST_IMAGES) if (header := f"image_{number}") in place)


def _check_image_columns(place: dict[str, int], log: FaultLog) -> None:
    numbers = sorted(number for header in place if (number := image_number(header)) is not None)
    for expected, number in enumerate(numbers):
        if number >= MOST_IMAGES:
            log.add(FaultKind.IMAGE_COLUMN_GAP, row=1, column=f"image_{number}")
            return
        if number != expected and expected > 0:  # a missing image_0 is a missing header
            log.add(FaultKind.IMAGE_COLUMN_GAP, row=1, column=f"image_{expected}")
            return


@dataclass
class ValueCounts:
    """How often which value stands in a column. Holds no more values than a column may have.

    Attributes:
        column: the header.
        allowed: the values that may stand there; None: any.
        most: how many different ones.
        refusal: the fault of a value beyond these.
    """

    column: str
    allowed: frozenset[bytes] | None
    most: int
    refusal: FaultKind
    counts: dict[bytes, int] = field(default_factory=dict)

    @classmethod
    def of_label(cls, label: LabelColumn) -> ValueCounts:
        """Of a label column."""
        allowed = label.allowed
        return cls(
            label.header,
            None if allowed is None else frozenset(one.encode() for one in allowed),
            MOST_LABELS,
            FaultKind.LABEL_NOT_OF_TASK,
        )

    @classmethod
    def of_slices(cls, header: str, most: int) -> ValueCounts:
        """Of a group column or the language column."""
        return cls(header, None, most, FaultKind.TOO_MANY_GROUP_VALUES)

    def refuses(self, value: bytes) -> FaultKind | None:
        """Why the value may not stand in the column."""
        if value in self.counts:
            return None
        if self.allowed is not None:
            return None if value in self.allowed else self.refusal
        if len(value) > 4 * VALUE_CHARACTERS or len(value.decode("utf-8", "replace")) > VALUE_CHARACTERS:
            return FaultKind.VALUE_TOO_LONG
        if len(self.counts) < self.most:
            return None
        return self.refusal if self.refusal is FaultKind.TOO_MANY_GROUP_VALUES else FaultKind.LABEL_SIZE

    def take(self, value: bytes) -> None:
        """Count a value that is not refused."""
        self.counts[value] = self.counts.get(value, 0) + 1

    def take_all(self, found: Mapping[bytes, int]) -> None:
        """Count values of which none is refused."""
        for value, count in found.items():
            self.counts[value] = self.counts.get(value, 0) + count

    def takes_all(self, values: Iterable[bytes]) -> bool:
        """Whether none of the values is refused."""
        new = [value for value in values if value not in self.counts]
        return len(self.counts) + len(new) <= self.most and not any(self.refuses(value) for value in new)

    def by_frequency(self) -> dict[str, int]:
        """The values as text, most frequent first."""
        ordered = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return {value.decode("utf-8", "replace"): count for value, count in ordered}
