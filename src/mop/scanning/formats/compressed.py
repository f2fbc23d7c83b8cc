"""One stream behind a compression."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, ClassVar

from mop.scanning.formats.base import HEAD_BYTES, Format, Head, Part
from mop.scanning.formats.pickles import search_rest
from mop.scanning.reader import Reader

_PIECE = 16 * 1024
"""Of many small streams each takes a copy of what is left of it."""
_LENGTH_MARK = b"ZF"
_LENGTH_BYTES = 21
_METHOD_DEFLATE = 8
_GZIP = b"\x1f\x8b"
_GZIP_HEADER = 10
_HAS_CHECKSUM, _HAS_EXTRA, _HAS_NAME, _HAS_COMMENT = 2, 4, 8, 16
_WINDOW_MAX = 7
_DAMAGES = (OSError, zlib.error, lzma.LZMAError)
"""What decompressors raise."""


class Compressed(Format):
    """What gzip, bzip2, xz, lzma and zlib write: the content is looked at as a file of its own."""

    name = "gzip, bzip2, xz, lzma, zlib, joblib before 0.10"
    runs = "what the content runs"
    seen = "the content, as a file of its own"
    urgency = 1

    _starts: ClassVar[tuple[tuple[bytes, Callable[[Reader], Any]], ...]] = (
        (_GZIP, lambda reader: _Gunzipped(reader)),  # noqa: PLW0108 - it is defined below
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
        if content.behind is not None:
            part.look.ambiguous(part.name, "other bytes follow the compressed ones, where some readers stop")
            search_rest(part, content.behind)
        elif content.is_broken:
            part.look.ambiguous(part.name, "some readers take what stands before the damage in it, others nothing")


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


class _Stream:
    """One stream of a decompressor's.

    Attributes:
        has_begun: something came out of it.
        error: it is damaged; raised when what stands before the damage has come out.
    """

    def __init__(self, begin: Callable[[], Any]) -> None:
        self._begin = begin
        self._inner = begin()
        self.has_begun = False
        self.error: Exception | None = None

    @property
    def eof(self) -> bool:
        """Whether it has ended."""
        return bool(self._inner.eof)

    @property
    def waiting(self) -> bytes:
        """What it gave back: bytes to be handed to it again."""
        return bytes(getattr(self._inner, "unconsumed_tail", b""))

    @property
    def needs_input(self) -> bool:
        """Whether more of it has to be read first."""
        return not self.waiting and bool(getattr(self._inner, "needs_input", True))

    @property
    def behind(self) -> bytes:
        """What was handed to it, and stands behind its end."""
        return bytes(self._inner.unused_data)

    def decompress(self, data: bytes, size: int) -> bytes:
        """At most so many bytes of what comes out.

        Raises:
            OSError, zlib.error, lzma.LZMAError: it is damaged.
        """
        if self.error is not None:
            raise self.error
        try:
            content = bytes(self._inner.decompress(data, size))
        except _DAMAGES as error:
            self.error = error
            content = b"" if self.has_begun else self._before_damage(data, size)
            if not content:
                raise
        self.has_begun = self.has_begun or bool(content)
        return content

    def _before_damage(self, data: bytes, size: int) -> bytes:
        """What comes out of a stream's first bytes before the damage in them: readers of small pieces take it."""
        inner, content = self._begin(), b""
        try:
            for place in range(len(data)):
                content += inner.decompress(data[place : place + 1], size - len(content))
                if len(content) == size:
                    break
        except _DAMAGES:
            pass
        return content


class _Gunzipped:
    """What the members of gzip unpack to, their headers read as Python's gzip does: zlib's own refuses some of them.

    Attributes:
        behind: what was taken when no further member followed; the rest is still to be read.
        is_broken: it is damaged behind what was read.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._stream: _Stream | None = None  # between members
        self._is_first = True
        self._sum = self._length = 0
        self.behind: bytes | None = None
        self.is_broken = False

    def read(self, size: int, /) -> bytes:
        """At most so many bytes of what is unpacked."""
        while self._stream is not None or self._goes_on():
            if self._stream is None:
                break
            if self._stream.eof:
                self._end()
            elif content := self._more(self._stream, size):
                return content
        return b""

    def _more(self, stream: _Stream, size: int) -> bytes:
        data = self._reader.peek(_PIECE)
        try:
            content = stream.decompress(data, size)
        except zlib.error:
            if self._is_first or stream.has_begun:
                self.is_broken = stream.has_begun
                raise
            self.behind, self._stream = b"", None
            return b""
        self._reader.skip(len(data) - len(stream.waiting) - len(stream.behind))
        self._sum, self._length = zlib.crc32(content, self._sum), self._length + len(content)
        if not data and not content and not stream.eof:
            raise EOFError("it ends in the middle")
        return content

    def _end(self) -> None:
        written = self._reader.exactly(8)
        if written != self._sum.to_bytes(4, "little") + (self._length & 0xFFFFFFFF).to_bytes(4, "little"):
            self.is_broken = True
            raise ValueError("its checksum or length is that of other bytes")
        self._stream, self._is_first = None, False

    def _goes_on(self) -> bool:
        """Begin with the member that follows, zeros left out."""
        if self.behind is not None:
            return False
        while not self._is_first and (piece := self._reader.peek(_PIECE)):
            filling = len(piece) - len(piece.lstrip(b"\0"))
            self._reader.skip(filling)
            if filling < len(piece):
                break
        begin = self._reader.peek(_GZIP_HEADER)
        if not begin and not self._is_first:
            return False
        try:
            self._pass_header()
        except (EOFError, ValueError):
            if self._is_first:
                raise
            self.behind = begin
            return False
        self._stream, self._sum, self._length = _Stream(lambda: zlib.decompressobj(-zlib.MAX_WBITS)), 0, 0
        return True

    def _pass_header(self) -> None:
        header = self._reader.exactly(_GZIP_HEADER)
        if not header.startswith(_GZIP) or header[2] != _METHOD_DEFLATE:
            raise ValueError("an unknown method of compression")
        flags = header[3]
        if flags & _HAS_EXTRA:
            self._reader.skip(int.from_bytes(self._reader.exactly(2), "little"))
        for flag in (_HAS_NAME, _HAS_COMMENT):
            if flags & flag:
                self._pass_text()
        if flags & _HAS_CHECKSUM:  # which Python does not look at
            self._reader.skip(2)

    def _pass_text(self) -> None:
        while piece := self._reader.peek(_PIECE):
            text, end, _ = piece.partition(b"\0")
            self._reader.skip(len(text) + len(end))
            if end:
                return
        raise EOFError("it ends in the middle")


class _Unpacked:
    """What one stream behind the other unpacks to: most loaders read on in the next.

    Attributes:
        behind: the beginning of what is no further stream; the rest is still to be read.
        is_broken: it is damaged behind what was read.
    """

    def __init__(self, reader: Reader, begin: Callable[[], Any]) -> None:
        self._reader = reader
        self._begin = begin
        self._stream = _Stream(begin)
        self._taken = b""  # and not unpacked yet
        self._is_first = True
        self.behind: bytes | None = None
        self.is_broken = False

    def read(self, size: int, /) -> bytes:
        """At most so many bytes of what is unpacked."""
        while self.behind is None and (not self._stream.eof or self._goes_on()):
            data = self._more()
            try:
                content = self._stream.decompress(data, size)
            except _DAMAGES:
                if self._is_first or self._stream.has_begun:
                    self.is_broken = self._stream.has_begun
                    raise
                self.behind = data
                return b""
            if content:
                return content
        return b""

    def _more(self) -> bytes:
        if not self._stream.needs_input:
            return self._stream.waiting
        data, self._taken = self._taken or self._reader.read(_PIECE), b""
        if not data:
            raise EOFError("it ends in the middle")
        return data

    def _goes_on(self) -> bool:
        """Begin with what follows, zeros left out."""
        rest = self._stream.behind.lstrip(b"\0")
        while not rest and (piece := self._reader.read(_PIECE)):
            rest = piece.lstrip(b"\0")
        self._taken, self._is_first = rest, False
        if rest:
            self._stream = _Stream(self._begin)
        return bool(rest)
