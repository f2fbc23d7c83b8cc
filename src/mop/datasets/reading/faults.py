"""The faults that a dataset's file can have. docs/datasets.md lists them; a test holds the two together."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

QUOTED_CHARACTERS = 60


class FaultKind(enum.Enum):
    """A kind of fault: its name, what is wrong, and how to fix it."""

    name_in_report: str
    title: str
    hint: str

    def __init__(self, name_in_report: str, title: str, hint: str) -> None:
        self.name_in_report = name_in_report
        self.title = title
        self.hint = hint

    def __repr__(self) -> str:
        return f"<FaultKind.{self.name}>"

    EMPTY_FILE = ("empty-file", "The file is empty", "Write a header row and at least one row of samples.")
    NO_ROWS = ("no-rows", "The file has a header and no rows", "Add the samples below the header.")
    BYTE_ORDER_MARK = (
        "byte-order-mark",
        "The file begins with a byte order mark",
        "Save the file as UTF-8 without a byte order mark (BOM).",
    )
    NOT_TEXT = (
        "not-text",
        "The file is not a text",
        "Unpack a compressed file; export a workbook or a table of another format as text with tabs.",
    )
    NOT_UTF_8 = (
        "not-utf-8",
        "The bytes are not UTF-8",
        "Save the file as UTF-8; UTF-16 and Windows encodings do not do.",
    )
    COMMA_INSTEAD_OF_TAB = (
        "comma-instead-of-tab",
        "Commas stand where tabs should",
        "Delimit the columns with tabs: in Python, csv.writer(file, delimiter='\\t').",
    )
    WRONG_DELIMITER = (
        "wrong-delimiter",
        "The columns are not delimited by tabs",
        "Delimit the columns with tabs: in Python, csv.writer(file, delimiter='\\t').",
    )
    TOO_MANY_COLUMNS = (
        "too-many-columns",
        "The header has too many columns",
        "Keep the input columns, the label columns and the columns for slices.",
    )
    MISSING_HEADER = (
        "missing-header",
        "A column is missing",
        "Row 1 holds the headers: add the column, or correct its header; case and spaces count.",
    )
    DUPLICATE_HEADER = ("duplicate-header", "Two columns have the same header", "Rename or remove one of the columns.")
    IMAGE_COLUMN_GAP = (
        "image-column-gap",
        "The image columns have a gap",
        "Name the image columns image_0, image_1 and so on, at most up to image_19, and fill them from image_0 on.",
    )
    UNBALANCED_QUOTES = (
        "unbalanced-quotes",
        "A quote is not closed, or text follows a closing quote",
        'Put a cell that begins with a quote in quotes, and double each quote in it: "He said ""no""".',
    )
    RAGGED_ROW = (
        "ragged-row",
        "The row has more or fewer cells than the header",
        "Give each row one cell per column; put a cell that holds a tab in quotes, and remove blank lines.",
    )
    ROW_TOO_LONG = ("row-too-long", "The row is too long", "Shorten the text, or store the images at a smaller size.")
    LINE_BREAK = (
        "line-break",
        "A line break in a cell",
        "Replace line breaks in cells by spaces; end lines with LF or CRLF, not with CR alone.",
    )
    EMPTY_CELL = (
        "empty-cell",
        "An empty cell",
        "Fill the cell, or remove the row; in row 1 name the column, or leave it out (pandas: index=False).",
    )
    BAD_BASE64 = (
        "bad-base64",
        "Not valid base64",
        "Encode the image file with the standard alphabet and padding, without line breaks or a `data:` prefix.",
    )
    NOT_AN_IMAGE = (
        "not-an-image",
        "The bytes are not an image that MOP knows",
        "Use JPEG, PNG, GIF, BMP, WebP or TIFF.",
    )
    BROKEN_IMAGE = (
        "broken-image",
        "The image is truncated or damaged",
        "Encode the image file again from its source; the bytes must decode to the end.",
    )
    TOO_MANY_PIXELS = (
        "too-many-pixels",
        "The image has too many pixels",
        "Scale the image down. All frames of an animated image count.",
    )
    IMAGE_NEEDS_MEMORY = (
        "image-needs-memory",
        "Decoding the image takes too much memory",
        "Store it as baseline JPEG, which is decoded in parts, or scale it down. WebP takes most.",
    )
    WRONG_IMAGE_SIZE = (
        "wrong-image-size",
        "Width or height is not that of the image",
        "Write the size in pixels as the file stores it, before any rotation that EXIF asks for.",
    )
    NOT_A_POSITIVE_INTEGER = (
        "not-a-positive-integer",
        "Width or height is not a positive integer",
        "Write the number of pixels in digits, such as 640.",
    )
    FILE_NAME_WITHOUT_EXTENSION = (
        "file-name-without-extension",
        "The file name has no extension",
        "Write the file name with its extension, such as cat.jpg.",
    )
    PLACEHOLDER_ORDER = (
        "placeholder-order",
        "The placeholders are out of order",
        "Number the placeholders of a text in their order: ##{image_0} first, then ##{image_1}.",
    )
    PLACEHOLDER_REPEATED = (
        "placeholder-repeated",
        "A placeholder stands twice in a text",
        "Use each placeholder once; give a picture that is shown twice two image columns.",
    )
    PLACEHOLDER_WITHOUT_IMAGE = (
        "placeholder-without-image",
        "A placeholder without an image",
        "Fill the image column that the placeholder names, or remove the placeholder.",
    )
    LABEL_NOT_OF_TASK = (
        "label-not-of-task",
        "The label is none of the labels allowed",
        "Use the labels of the connected tasks, letter by letter; a Binary column holds 0 and 1, not 1.0 or True.",
    )
    ONE_CLASS_ONLY = (
        "one-class-only",
        "All rows have the same label",
        "Add rows of at least one other label: nothing can be measured on one class.",
    )
    LABEL_SIZE = (
        "label-size",
        "The number of different labels is not the label size",
        "Correct the label size, or the labels of the column.",
    )
    TOO_MANY_GROUP_VALUES = (
        "too-many-group-values",
        "The column has too many different values for slices",
        "Use a column with fewer values, or do not name it as group or language column.",
    )
    VALUE_TOO_LONG = (
        "value-too-long",
        "A label or a value for slices has more than 100 characters",
        "Labels and values for slices are names that everybody may see: shorten them, or name another column.",
    )
    DUPLICATE_ROW = (
        "duplicate-row",
        "The row has the same input as an earlier row",
        "Remove the row: it counts twice, and its labels may contradict each other.",
    )

    @property
    def is_warning(self) -> bool:
        """Whether a file may be verified in spite of it."""
        return self is FaultKind.DUPLICATE_ROW


KINDS = {kind.name_in_report: kind for kind in FaultKind}


@dataclass(frozen=True)
class Fault:
    """One kind of fault in one column.

    Attributes:
        kind: what is wrong.
        column: the header if it is known from the format or the form, else `column 7`: a file without a header row must
            not be quoted. None: the row or the file as a whole.
        count: how many rows have it.
        rows: the first of them, ascending; the header is row 1. Empty when the fault is that of a column as a whole.
        quotes: for each of the rows the beginning of the cell, in the local command alone.
    """

    kind: FaultKind
    column: str | None
    count: int
    rows: tuple[int, ...] = ()
    quotes: tuple[str | None, ...] = ()


@dataclass
class FaultLog:
    """Collects faults: a count and the first places of every kind in every column.

    Attributes:
        places: how many are kept of a kind in a column.
        quotes_cells: whether the cells there are quoted.
        count: of all faults.
    """

    places: int
    quotes_cells: bool = False
    count: int = 0
    _entries: dict[tuple[FaultKind, str | None], _Entry] = field(default_factory=dict)

    def add(self, kind: FaultKind, *, row: int | None, column: str | None = None, cell: bytes | None = None) -> None:
        """Note one fault. Rows come in ascending order."""
        self.count += 1
        entry = self._entries.setdefault((kind, column), _Entry())
        entry.count += 1
        if row is None or len(entry.rows) >= self.places:
            return
        entry.rows.append(row)
        if self.quotes_cells:
            entry.quotes.append(None if cell is None else _beginning(cell))

    def __bool__(self) -> bool:
        return bool(self._entries)

    def faults(self) -> Iterator[Fault]:
        """What was noted, in the order of the kinds, then of the first row."""
        order = list(FaultKind)
        for (kind, column), entry in sorted(
            self._entries.items(), key=lambda item: (order.index(item[0][0]), item[1].rows[:1], item[0][1] or "")
        ):
            yield Fault(kind, column, entry.count, tuple(entry.rows), tuple(entry.quotes))


@dataclass
class _Entry:
    count: int = 0
    rows: list[int] = field(default_factory=list)
    quotes: list[str | None] = field(default_factory=list)


def _beginning(cell: bytes) -> str:
    text = cell[: 4 * QUOTED_CHARACTERS].decode("utf-8", "replace")
    return (
        text
        if len(text) <= QUOTED_CHARACTERS and len(cell) == len(cell[: 4 * QUOTED_CHARACTERS])
        else (text[: QUOTED_CHARACTERS - 1] + "\N{HORIZONTAL ELLIPSIS}")
    )
