"""Formats that hold data and are known by their marks: what they hold is never run by what reads them."""

from __future__ import annotations

import base64
from typing import ClassVar

from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.pickles import tell_of_search
from mop.scanning.formats.protobuf import Message, fields_of, read_message
from mop.scanning.limits import MIB
from mop.scanning.pickles.search import Search

_ICONS_MAX = 64
_PIECE = MIB
_OVERLAP = 4096
_ARROW_SCHEMA = b"ARROW:schema"
_THRIFT_TEXT = b"\x18"  # a field of bytes, the next in its structure
_LENGTH_BYTES = 6
_SCHEMA_BYTES = 16 * MIB
_ARROW_FRAME = b"\xff\xff\xff\xff"
_ROOT_MAX = 64
_EXTENSION = b"ARROW:extension:name"
_PYTHON_EXTENSION = b"arrow.py_extension_type"


class Marked(Format):
    """A format that is known by bytes at a place, and whose content is searched and not parsed."""

    marks: ClassVar[tuple[tuple[int, bytes], ...]]
    runs = "nothing"
    seen = "its mark; a search of all of it"
    is_searched = True

    def recognises(self, head: Head) -> bool:
        """By its marks."""
        return any(head.data[place : place + len(mark)] == mark for place, mark in self.marks)

    def examine(self, part: Part) -> None:
        """Nothing of it is looked at in particular."""


class Picture(Marked):
    """Pictures, sound and documents that models bring as examples."""

    name = "images, sound, PDF"
    marks = (
        *(
            (0, b"\x89PNG\r\n\x1a\n"),
            (0, b"\xff\xd8\xff"),
            (0, b"GIF87a"),
            (0, b"GIF89a"),
            (0, b"II*\0"),
            (0, b"MM\0*"),
        ),
        *((8, b"WEBP"), (8, b"WAVE"), (0, b"fLaC"), (0, b"OggS"), (0, b"ID3"), (0, b"%PDF-")),
        *((4, b"ftypavif"), (4, b"ftypheic"), (4, b"ftypmp4"), (4, b"ftypisom")),
    )
    urgency = 5

    def recognises(self, head: Head) -> bool:
        """By its marks; icons by their list, whose entries have a byte that is zero."""
        data = head.data
        is_icon = data[:4] == b"\0\0\1\0" and 0 < int.from_bytes(data[4:6], "little") <= _ICONS_MAX
        return super().recognises(head) or (is_icon and data[9:10] == b"\0")


class Table(Marked):
    """Tables in columns."""

    name = "Parquet, Arrow, Feather, ORC"
    runs = "the pickle of a Python extension type, in pyarrow before 14.0.1"
    seen = "its mark; the schema of Arrow, in Parquet too; a search of all of it"
    marks = ((0, b"PAR1"), (0, b"ARROW1"), (0, b"FEA1"), (0, b"ORC"))
    urgency = 2

    def recognises(self, head: Head) -> bool:
        """By its mark; a stream of Arrow by the frame of its first message, a flat buffer."""
        length, root = (int.from_bytes(head.data[place : place + 4], "little") for place in (4, 8))
        is_framed = head.data.startswith(_ARROW_FRAME) and not length % 8 and 0 < length <= _SCHEMA_BYTES
        return super().recognises(head) or (is_framed and 0 < root <= _ROOT_MAX and not root % 2)

    def examine(self, part: Part) -> None:
        """Look at Arrow's schema: as it is in Arrow's own files, in Base64 in Parquet's."""
        data = b""
        while piece := part.reader.read(_PIECE):
            data = data[-_OVERLAP:] + piece
            self._look_at_schema(part, data)
            at = data.find(_ARROW_SCHEMA)
            while at >= 0:
                begin, size = _thrift_text(data[at + len(_ARROW_SCHEMA) :][:_LENGTH_BYTES])
                begin += at + len(_ARROW_SCHEMA)
                if 0 < size <= _SCHEMA_BYTES:
                    if begin + size > len(data):
                        data += part.reader.read(max(begin + size - len(data), _PIECE))
                    self._look_at_packed(part, data, begin, begin + size)
                at = data.find(_ARROW_SCHEMA, at + 1)

    def _look_at_packed(self, part: Part, data: bytes, begin: int, end: int) -> None:
        if data.find(b":", begin, end) >= 0:  # no Base64; this one is not the schema's name
            return
        try:
            schema = base64.b64decode(data[begin:end], validate=True)
        except ValueError:
            return
        self._look_at_schema(part, schema)
        search = Search()
        search.feed(schema)
        search.end()
        tell_of_search(part, search)

    def _look_at_schema(self, part: Part, data: bytes) -> None:
        if _EXTENSION in data and _PYTHON_EXTENSION in data:
            part.look.code(
                part.name,
                "python-extension-type",
                "names a Python type of Arrow, whose pickle pyarrow before 14.0.1 loads when it reads the file",
                "Write the table with plain types, or with an extension type that is no PyExtensionType.",
            )


def _thrift_text(data: bytes) -> tuple[int, int]:
    """Where a text of Thrift's compact protocol begins, and its length; none of other fields."""
    size = 0
    if data[:1] == _THRIFT_TEXT:
        for place, byte in enumerate(data[1:]):
            size |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:  # noqa: PLR2004 - the last of a number
                return place + 2, size
    return 0, 0


class Database(Marked):
    """A database in one file."""

    name = "SQLite"
    runs = "nothing"
    marks = ((0, b"SQLite format 3\0"),)
    urgency = 4


class TfLite(Marked):
    """Flat buffers of TensorFlow Lite."""

    name = "TFLite"
    runs = "custom operators need native code of the program that reads it"
    marks = ((4, b"TFL3"),)
    urgency = 5


class Boosted(Marked):
    """Trees in formats of their own libraries."""

    name = "XGBoost (UBJSON, deprecated binary), CatBoost, fastText, Faiss"
    marks = (
        *((0, b"CBM1"), (0, b"binf"), (0, b"\xba\x16\x4f\x2f"), (0, b"IxF2"), (0, b"IxFI"), (0, b"IwFl")),
        *((0, b"{L\0\0\0\0\0\0\0\x07learner"), (0, b"{L\0\0\0\0\0\0\0\x06Config"), (0, b"{L\0\0\0\x07learner")),
        *((0, b"{i\x07learner"), (0, b"{U\x07learner"), (0, b"{L\0\0\0\0\0\0\0\x07version")),
    )
    urgency = 5


class TensorIndex(Format):
    """The index of TensorFlow's checkpoints: a sorted table, known by its last eight bytes, which no head shows."""

    name = "TensorFlow checkpoint index"
    runs = "nothing"
    seen = "that it begins like a table of its kind; a search of all of it"
    is_searched = True
    urgency = 5

    def recognises(self, head: Head) -> bool:
        """The first entry of a bundle has an empty key and a header as value."""
        return len(head.data) > 8 and head.data[:2] == b"\0\0" and head.data[3:4] == b"\x08" and head.data[2] < 64  # noqa: PLR2004 - the header

    def examine(self, part: Part) -> None:
        """Nothing of it is looked at in particular."""


class SentencePiece(Format):
    """The model of a tokenizer: pieces with their scores."""

    name = "sentencepiece"
    runs = "nothing"
    seen = "every field of the model"
    is_searched = True
    urgency = 5

    def recognises(self, head: Head) -> bool:
        """A first piece of a text and a score."""
        if head.data[:1] != b"\x0a" or len(head.data) < 4:  # noqa: PLR2004 - one field
            return False
        fields = fields_of(head.data[2 : 2 + head.data[1]]) if head.data[1] < 0x80 else []  # noqa: PLR2004 - a varint
        return fields[:2] == [(1, 2), (2, 5)]

    def examine(self, part: Part) -> None:
        """Read all fields."""
        try:
            read_message(part.reader, Message(known=frozenset((1, 2, 3, 4, 5))))
        except ValueError as error:
            part.look.incomplete(part.name, f"it is no model of sentencepiece to its end: {error}")


class Empty(Format):
    """A file without a byte."""

    name = "empty"
    runs = "nothing"
    seen = "that there is nothing"

    def recognises(self, head: Head) -> bool:
        """No byte."""
        return not head.data

    def examine(self, part: Part) -> None:
        """There is nothing."""
