"""NumPy's own format of one array."""

from __future__ import annotations

import ast
import re

from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.pickles import follow_all

HEADER_BYTES = 1024**2
_PLAIN = re.compile(r"[<>|=]?(?:\?|[bB]1?|[iuf](?:1|2|4|8|16)|c(?:8|16|32)|[SUVa]\d{1,9}|[mM]8(?:\[\w{1,12}\])?)")
"""Types that hold no objects; any other is read as one that may."""


class NumpyArray(Format):
    """By its magic; an array of objects is a pickle behind the header."""

    name = "npy"
    runs = "an array of objects is a pickle, read with allow_pickle=True"
    seen = "the header as NumPy reads it; objects as a pickle, numbers by their size"
    is_searched = True
    urgency = 1

    def recognises(self, head: Head) -> bool:
        """By the magic."""
        return head.data.startswith(b"\x93NUMPY")

    def examine(self, part: Part) -> None:
        """The header tells whether objects follow, which numpy writes as a pickle."""
        version = part.reader.exactly(8)[6]
        length = int.from_bytes(part.reader.exactly(2 if version == 1 else 4), "little")
        if length > HEADER_BYTES:
            part.look.costly(part.name, "a header of numpy of unusual length")
            return
        text = part.reader.exactly(length).decode("latin-1")
        try:
            header = ast.literal_eval(re.sub(r"(?<=\d)L\b", "", text.strip()))
            descr, shape = header["descr"], header["shape"]
        except (SyntaxError, ValueError, KeyError, TypeError, MemoryError, RecursionError):
            part.look.incomplete(part.name, "a header of numpy that cannot be read")
            follow_all(part)
            return
        size = _item_bytes(descr)
        if size is None:
            follow_all(part)
            return
        count = 1
        for number in shape if isinstance(shape, tuple) else ():
            count *= number if isinstance(number, int) and number >= 0 else 0
        part.reader.skip(count * size)
        if part.reader.peek(1):
            part.look.incomplete(part.name, "other bytes follow the array")


def _item_bytes(descr: object) -> int | None:
    """Bytes of one item; None when it is not certain that none of it is an object."""
    if isinstance(descr, str):
        return _plain_bytes(descr) if _PLAIN.fullmatch(descr) else None
    if not isinstance(descr, list) or not descr:
        return None
    total = 0
    for field in descr:
        if not isinstance(field, tuple) or len(field) not in {2, 3}:
            return None
        size = _item_bytes(field[1])
        if size is None:
            return None
        for length in _lengths(field[2] if len(field) == 3 else ()):  # noqa: PLR2004 - a field with a shape
            size *= length
        total += size
    return total


def _lengths(shape: object) -> tuple[int, ...]:
    values = shape if isinstance(shape, tuple) else (shape,)
    return tuple(value for value in values if isinstance(value, int) and value >= 0)


def _plain_bytes(descr: str) -> int:
    text = descr.lstrip("<>|=")
    kind, number = text[:1], re.match(r"\d+", text[1:])
    size = int(number[0]) if number else 1
    return size * 4 if kind == "U" else size
