"""HDF5, as Keras and PyTables write it."""

from __future__ import annotations

import io
import re
import struct
import zlib
from typing import IO, cast

from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.hdf5_tree import MARK, NotFollowedError, Seen, Tree
from mop.scanning.formats.json_text import JsonTokens
from mop.scanning.formats.pickles import Pickle, Window, pickle_at_the_beginning, tell_of_search
from mop.scanning.formats.text import Text
from mop.scanning.limits import MIB
from mop.scanning.look import shown
from mop.scanning.pickles.search import Search
from mop.scanning.reader import ByteStream, Reader, Slice

_JSON = re.compile(rb'\{\s*"[\w\\]{1,40}"\s*:')
_PIECE = 4 * MIB
_OVERLAP = 64
_JSON_BYTES = 64 * MIB
_PICKLE, _TEXT = Pickle(), Text()
_PLACES = (0, 512, 1024, 2048)
"""Where the mark may stand in what a format is known by: behind a block for the program that wrote the file."""


class Hdf5(Format):
    """By its mark. Its tree is followed; what is a text in it is read where it lies as well."""

    name = "HDF5: Keras .h5, PyTables"
    runs = (
        "Lambda layers and classes that Keras' configuration names; pickles in attributes, which PyTables loads; links "
        "and datasets that lead to other files"
    )
    seen = (
        "every group, dataset and attribute of the tree, packed datasets too; each JSON text in the file by its "
        "tokens; a search of all of it for pickles"
    )
    is_searched = True
    urgency = 2

    def recognises(self, head: Head) -> bool:
        """By the mark at its beginning, or behind a user block."""
        return _place_in(head.data) is not None

    def examine(self, part: Part) -> None:
        """Read the texts as they pass, then follow the tree, which needs random access."""
        begin = _place_in(part.reader.peek(_PLACES[-1] + len(MARK))) or 0
        if part.file is not None:
            _read_texts(part)
            part.reader.drain()
            size = part.look.size if part.size is None else part.size
            _follow(part, part.file if not begin else _from(part.file, begin, size), size - begin, begin)
            part.file.seek(0, io.SEEK_END)
            return
        content = part.reader.read(part.look.limits.spool_bytes + 1)
        if len(content) > part.look.limits.spool_bytes:
            part.look.incomplete(part.name, f"HDF5 of over {part.look.limits.spool_bytes:,} bytes within an archive")
            return
        part.reader = Reader(io.BytesIO(content))
        _read_texts(part)
        _follow(part, io.BytesIO(content[begin:]), len(content) - begin, begin)


def read_behind(part: Part, file: IO[bytes], size: int) -> None:
    """Follow the tree of a file of another format that is HDF5 behind its first kilobytes, as HDF5's readers look."""
    begin = 2 * _PLACES[-1]
    while begin < size:
        file.seek(begin)
        if file.read(len(MARK)) == MARK:
            part.look.ambiguous(part.name, f"HDF5 begins at its byte {begin}")
            file.seek(begin)
            part.reader = Reader(cast("ByteStream", file), budget=part.look.spend)
            _read_texts(part)
            _follow(part, _from(file, begin, size), size - begin, begin)
            return
        begin *= 2


def _place_in(data: bytes) -> int | None:
    return next((place for place in _PLACES if data[place : place + len(MARK)] == MARK), None)


def _from(file: IO[bytes], begin: int, size: int) -> IO[bytes]:
    return cast("IO[bytes]", Slice(file, begin, size - begin))


def _follow(part: Part, file: IO[bytes], size: int, base: int = 0) -> None:
    seen = Seen(
        value=lambda place, value: _look_at_value(part, place, value),
        chunk=lambda place, content: _look_at_chunk(part, place, content),
        outside=lambda place, what: _look_outside(part, place, what),
        spend=part.look.spend,
    )
    try:
        Tree(file, size, seen, base).walk()
    except NotFollowedError as error:
        part.look.incomplete(part.name, f"it holds {error}")
    except (EOFError, ValueError, IndexError, struct.error, zlib.error) as error:
        part.look.incomplete(part.name, f"its tree cannot be followed: {shown(str(error)) or type(error).__name__}")


def _look_at_value(part: Part, place: str, value: bytes) -> None:
    """A value that is a text, or a pickle: PyTables loads those that an attribute holds."""
    content = value.rstrip(b"\0")
    name = f"{part.name}!{shown(place)}"
    known: Format | None = None
    if content and _TEXT.recognises(Head(content[:4096], len(content))):
        known = _TEXT
    elif pickle_at_the_beginning(_inner(part, name, content), is_text=False) is not None:
        known = _PICKLE
    if known is not None and part.look.take_member(part.name):
        part.open(Window(content), name, part.depth + 1, known=known)


def _look_at_chunk(part: Part, place: str, content: bytes) -> None:
    """Unpacked numbers, or whatever else a dataset holds."""
    search = Search()
    search.feed(content)
    search.end()
    tell_of_search(_inner(part, f"{part.name}!{shown(place)}", b""), search)


def _inner(part: Part, name: str, content: bytes) -> Part:
    return Part(name, Reader(Window(content)), part.look, part.depth + 1, part.open)


def _look_outside(part: Part, place: str, what: str) -> None:
    part.look.code(
        f"{part.name}!{shown(place)}",
        "external-data",
        shown(what),
        "Save the file with all of its content inside.",
    )


def _read_texts(part: Part) -> None:
    """Read each text that begins like an object of JSON, to the zero behind it."""
    left = _JSON_BYTES
    while window := part.reader.peek(_PIECE):
        match = _JSON.search(window)
        if match is None:
            part.reader.skip(len(window) - _OVERLAP if len(window) == _PIECE else len(window))
            continue
        part.reader.skip(match.start())
        text = part.reader.peek(_PIECE)
        text = text[: text.find(b"\0")] if b"\0" in text else text
        tokens = JsonTokens(part)
        tokens.feed(text.decode("utf-8", "replace"))
        tokens.end()
        part.reader.skip(len(text))
        left -= max(len(text), _OVERLAP)
        if left <= 0:
            part.look.incomplete(part.name, f"over {_JSON_BYTES:,} bytes of configuration")
            return
