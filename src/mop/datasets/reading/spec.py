"""What a dataset's file should be: the columns that the form names, and the bounds that the installation sets."""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MIB = 1024**2
MOST_IMAGES = 20
MOST_LABELS = 20
BINARY_LABELS = ("0", "1")
_IMAGE_COLUMN = re.compile(r"image_(0|[1-9][0-9]*)")


class Modality(enum.StrEnum):
    """What a sample is. The values are those of a task."""

    TEXT = "Text"
    IMAGE = "Image"
    IMAGE_AND_TEXT = "ImageAndText"


class LabelType(enum.StrEnum):
    """What the values of a label column mean."""

    BINARY = "Binary"
    MULTI_LABEL = "Multi-label"
    ORDINAL = "Ordinal"


INPUT_COLUMNS = {
    Modality.TEXT: ("text",),
    Modality.IMAGE: ("base64_image", "file_name", "image_width_pixels", "image_height_pixels"),
    Modality.IMAGE_AND_TEXT: ("text", "image_0"),
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of a file.

    Attributes:
        pixels: of one image, all frames of an animated one together.
        frames: of an animated image.
        image_memory_bytes: that decoding one image may take, its row included.
        group_values: different values of a group column or of the language column.
        columns: of the file.
        row_bytes: one row, quotes and delimiters included. Every part of the reader holds a few rows at most, so this
            bounds its memory.
        digest_bytes: disk for the digests of rows, 8 bytes each; rows beyond are not searched for duplicates.
        places: how many rows of a fault are listed.
    """

    pixels: int = 50_000_000
    frames: int = 1_000
    image_memory_bytes: int = 230_000_000
    group_values: int = 50
    columns: int = 1_000
    row_bytes: int = 32 * MIB
    digest_bytes: int = 1024 * MIB
    places: int = 20


@dataclass(frozen=True, kw_only=True)
class LabelColumn:
    """One label column, which makes one dataset.

    Attributes:
        header: its name in the file.
        label_type: Binary allows the labels 0 and 1 and no others.
        labels: what the cells may hold: the labels that all connected tasks have. None: no task is known, any labels
            are taken, at most 20 different ones.
        size: Multi-label: how many different labels the column holds. None: two or more.
    """

    header: str
    label_type: LabelType
    labels: tuple[str, ...] | None = None
    size: int | None = None

    @property
    def allowed(self) -> tuple[str, ...] | None:
        """What the cells may hold; None: anything."""
        if self.label_type != LabelType.BINARY:
            return self.labels
        return BINARY_LABELS if self.labels is None else tuple(one for one in BINARY_LABELS if one in self.labels)


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """What one file is verified against.

    Attributes:
        modality: decides which input columns there are.
        labels: the label columns, each of which makes a dataset of its own; none: only the input columns are verified.
        group_columns: columns whose values name slices.
        language_column: the column that names the language of each row.
        limits: bounds.

    Raises:
        ValueError: a header is empty, is named twice or is one of the modality's input columns; the values of a group
            column or the language column would be samples; a size is not that of a Multi-label column or is not 2 to
            20.
    """

    modality: Modality
    labels: tuple[LabelColumn, ...] = ()
    group_columns: tuple[str, ...] = ()
    language_column: str | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for label in self.labels:
            if label.size is not None and label.label_type != LabelType.MULTI_LABEL:
                raise ValueError(
                    f"The column {label.header!r} is {label.label_type}: only Multi-label has a label size."
                )
            if label.size is not None and not 2 <= label.size <= MOST_LABELS:  # noqa: PLR2004 - as the message says
                raise ValueError(f"The label size of {label.header!r} is {label.size}; it must be 2 to {MOST_LABELS}.")
        seen: set[str] = set()
        for header in self._named():
            if not header:
                raise ValueError("A header is empty.")
            if self.is_input(header):
                raise ValueError(f"{header!r} is an input column of {self.modality}; it cannot be a label or a group.")
            if header in seen:
                raise ValueError(f"The column {header!r} is named twice.")
            seen.add(header)
        for header in self.slice_columns:
            # their values are shown: a file read as of another modality must not give texts or images that way
            if any(header in columns for columns in INPUT_COLUMNS.values()) or image_number(header) is not None:
                raise ValueError(f"{header!r} is an input column; its values are samples and cannot name slices.")

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """The group columns, then the language column if there is one."""
        return self.group_columns if self.language_column is None else (*self.group_columns, self.language_column)

    @property
    def required(self) -> tuple[str, ...]:
        """Headers that the file must have."""
        return (*INPUT_COLUMNS[self.modality], *self._named())

    def is_input(self, header: str) -> bool:
        """Whether a header is one of the modality's input columns; ImageAndText has image_0 and all that follow."""
        if header in INPUT_COLUMNS[self.modality]:
            return True
        return self.modality == Modality.IMAGE_AND_TEXT and image_number(header) is not None

    def _named(self) -> Iterator[str]:
        yield from (label.header for label in self.labels)
        yield from self.slice_columns

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; `from_dict` reads it back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DatasetSpec:
        """What `to_dict` described."""
        return cls(
            modality=Modality(data["modality"]),
            labels=tuple(
                LabelColumn(
                    header=one["header"],
                    label_type=LabelType(one["label_type"]),
                    labels=None if one["labels"] is None else tuple(one["labels"]),
                    size=one["size"],
                )
                for one in data["labels"]
            ),
            group_columns=tuple(data["group_columns"]),
            language_column=data["language_column"],
            limits=Limits(**data["limits"]),
        )


def image_number(header: str) -> int | None:
    """The n of `image_n`; None for any other header."""
    match = _IMAGE_COLUMN.fullmatch(header)
    return int(match[1]) if match and len(match[1]) <= 6 else None  # noqa: PLR2004 - int() of a long text takes long
