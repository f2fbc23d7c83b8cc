"""One stream behind a compression."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from typing import Any, ClassVar, cast

from mop.scanning.formats.base import HEAD_BYTES, Format, Head, Part
from mop.scanning.reader import Reader

_PIECE = 64 * 1024
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
        (b"BZh", lambda reader: bz2.BZ2File(cast("Any", _Raw(reader)))),
        (b"\xfd7zXZ\0", lambda reader: lzma.LZMAFile(cast("Any", _Raw(reader)))),  # noqa: SIM115 - it owns nothing
        (b"]\0", lambda reader: lzma.LZMAFile(cast("Any", _Raw(reader)))),  # noqa: SIM115 - lzma alone, with any dictionary
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
        unpack = next((unpack for start, unpack in self._starts if head.startswith(start)), _Inflated)
        if unpack is _Inflated and head.startswith(_LENGTH_MARK):
            begin = part.reader.peek(HEAD_BYTES)
            part.reader.skip(len(begin) - len(_without_length(begin)))
        part.open(unpack(part.reader), f"{part.name}!content", part.depth + 1)
        if part.reader.peek(1) and unpack is _Inflated:
            part.look.incomplete(part.name, "other bytes follow the compressed ones")


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


class _Raw:
    """A reader as the decompressors of the standard library take it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, size: int = -1) -> bytes:
        return self._reader.read(size if size >= 0 else _PIECE)

    def readinto(self, buffer: memoryview) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    closed = False


class _Inflated:
    """The content of a zlib stream."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._zlib = zlib.decompressobj()

    def read(self, size: int, /) -> bytes:
        while not self._zlib.eof:
            data = self._zlib.unconsumed_tail or self._reader.read(_PIECE)
            if not data:
                raise EOFError("it ends in the middle")
            content = self._zlib.decompress(data, size)
            if content:
                return content
        return b""
