"""One stream behind a compression."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import Any, ClassVar, cast

from mop.scanning.formats.base import HEAD_BYTES, Format, Head, Part
from mop.scanning.formats.pickles import search_rest
from mop.scanning.reader import Reader

_PIECE = 16 * 1024
"""Of many small streams each takes a copy of what is left of it."""
_LENGTH_MARK = b"ZF"
_LENGTH_BYTES = 21
_METHOD_DEFLATE = 8
_WINDOW_MAX = 7


class Compressed(Format):
    """What gzip, bzip2, xz, lzma and zlib write: the content is looked at as a file of its own."""

    name = "gzip, bzip2, xz, lzma, zlib, joblib before 0.10"
    runs = "what the content runs"
    seen = "the content, as a file of its own"
    urgency = 1

    _starts: ClassVar[tuple[tuple[bytes, Callable[[Reader], Any]], ...]] = (
        (b"\x1f\x8b", lambda reader: gzip.GzipFile(fileobj=cast("Any", reader))),
        (b"BZh", lambda reader: _Unpacked(reader, bz2.BZ2Decompressor)),
        (b"\xfd7zXZ\0", lambda reader: _Unpacked(reader, lzma.LZMADecompressor)),
        (b"]\0", lambda reader: _Unpacked(reader, lzma.LZMADecompressor)),  # lzma alone, with any dictionary
    )

    def recognises(self, head: Head) -> bool:
        """By the first bytes; of zlib by its checksum and a first piece that unpacks."""
        known = any(head.data.startswith(start) for start, _ in self._starts)
        return known or _is_zlib(head.data) or _is_zlib(_without_length(head.data))

    def examine(self, part: Part) -> None:
        """Unpack the content."""
        if not part.look.may_open(part.name, part.depth):
            return
        head = part.reader.peek(8)
        unpack = next((unpack for start, unpack in self._starts if head.startswith(start)), _inflated)
        if unpack is _inflated and head.startswith(_LENGTH_MARK):
            begin = part.reader.peek(HEAD_BYTES)
            part.reader.skip(len(begin) - len(_without_length(begin)))
        content = unpack(part.reader)
        part.open(content, f"{part.name}!content", part.depth + 1)
        if isinstance(content, _Unpacked) and content.behind:
            part.look.incomplete(part.name, "other bytes follow the compressed ones")
            search_rest(part, content.behind)


class Unreadable(Format):
    """Compressions and archives that MOP cannot unpack."""

    name = "7z, rar, zstd, lz4, snappy, compress, cab, rpm, ar"
    runs = "what the content runs"
    seen = "nothing: never clean"
    is_searched = True
    urgency = 4

    _starts = (
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!\x1a\x07",
        b"\x28\xb5\x2f\xfd",
        b"\x04\x22\x4d\x18",
        b"\x02\x21\x4c\x18",
        b"\xff\x06\0\0sNaPpY",
        b"LZIP",
        b"\x1f\x9d",
        b"\x1f\xa0",
        b"MSCF",
        b"xar!",
        b"\xed\xab\xee\xdb",
        b"!<arch>",
    )

    def recognises(self, head: Head) -> bool:
        """By the first bytes."""
        return head.data.startswith(self._starts)

    def examine(self, part: Part) -> None:
        """Say so."""
        part.look.incomplete(part.name, "a compression or archive that MOP cannot unpack")


def _without_length(data: bytes) -> bytes:
    """What follows the length that joblib wrote before version 0.10, which it still reads; nothing if there is none."""
    if not data.startswith(_LENGTH_MARK):
        return b""
    try:
        int(data[len(_LENGTH_MARK) : _LENGTH_BYTES], 16)
    except ValueError:
        return b""
    return data[_LENGTH_BYTES:].removeprefix(b" ")  # of Python 2


def _is_zlib(data: bytes) -> bool:
    """RFC 1950: method and window, a checksum over two bytes, and content that begins to unpack."""
    if len(data) < 3 or data[0] & 0xF != _METHOD_DEFLATE or data[0] >> 4 > _WINDOW_MAX:  # noqa: PLR2004 - its header
        return False
    if int.from_bytes(data[:2], "big") % 31 or data[1] & 0x20:
        return False
    inflating = zlib.decompressobj()
    try:
        content = inflating.decompress(data, _PIECE)
    except zlib.error:
        return False
    return bool(content) or inflating.eof


def _inflated(reader: Reader) -> _Unpacked:
    return _Unpacked(reader, zlib.decompressobj)


class _Unpacked:
    """What one stream behind the other unpacks to: most loaders read on in the next.

    Attributes:
        behind: the beginning of what is no further stream; the rest is still to be read.
    """

    def __init__(self, reader: Reader, begin: Callable[[], Any]) -> None:
        self._reader = reader
        self._begin = begin
        self._stream = begin()
        self._taken = b""  # and not unpacked yet
        self._is_first = True
        self.behind = b""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes of what is unpacked."""
        while not self.behind and (not self._stream.eof or self._goes_on()):
            data = self._more()
            try:
                content = self._stream.decompress(data, size)
            except (OSError, zlib.error, lzma.LZMAError):
                if self._is_first or self._has_begun:
                    raise
                self.behind = data
                return b""
            self._has_begun = self._has_begun or bool(content)
            if content:
                return bytes(content)
        return b""

    _has_begun = False
    """Whether anything came out of this stream."""

    def _more(self) -> bytes:
        waiting = getattr(self._stream, "unconsumed_tail", b"")
        if waiting or not getattr(self._stream, "needs_input", True):
            return bytes(waiting)
        data, self._taken = self._taken or self._reader.read(_PIECE), b""
        if not data:
            raise EOFError("it ends in the middle")
        return data

    def _goes_on(self) -> bool:
        """Begin with what follows, zeros left out."""
        rest = self._stream.unused_data.lstrip(b"\0")
        while not rest and (piece := self._reader.read(_PIECE)):
            rest = piece.lstrip(b"\0")
        self._taken, self._is_first, self._has_begun = rest, False, False
        if rest:
            self._stream = self._begin()
        return bool(rest)
