"""Sequential reading of hostile bytes: bounded, with one look ahead, watched by those that want to see every byte."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import IO, Protocol

CHUNK = 256 * 1024


class ByteStream(Protocol):
    """What can be read from its start to its end."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; empty at the end."""


class TooMuchError(Exception):
    """More bytes came out of a container than the limits allow."""


class TooSlowError(Exception):
    """Reading took longer than one file may take."""


class MissingError(EOFError):
    """The bytes end before what was to be skipped; tells how many are missing."""


class Reader:
    """Reads a stream once. Every method takes time in proportion to the bytes that it takes.

    Args:
        stream: where the bytes come from.
        watchers: called with each chunk as it is first read, in order.
        budget: called with the size of each chunk; may raise TooMuchError or TooSlowError.

    Attributes:
        buffer: bytes that were read from the stream.
        at: how many of them were taken; a loop over single bytes may go on here itself, up to the buffer's end.
        before: bytes that were taken before the buffer.
    """

    def __init__(
        self,
        stream: ByteStream,
        *,
        watchers: Sequence[Callable[[bytes], None]] = (),
        budget: Callable[[int], None] | None = None,
    ) -> None:
        self._stream = stream
        self._watchers = watchers
        self._budget = budget
        self.buffer = b""
        self.at = 0
        self.before = 0
        self._ended = False
        self._failure: Exception | None = None  # raised when what was read before it is taken

    @property
    def position(self) -> int:
        """How many bytes were taken."""
        return self.before + self.at

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end, without taking them."""
        self._fill(size)
        return self.buffer[self.at : self.at + size]

    def read(self, size: int, /) -> bytes:
        """Take at most so many bytes; fewer only at the end."""
        end = self.at + size
        if end > len(self.buffer):
            self._fill(size)
            end = min(self.at + size, len(self.buffer))
        data = self.buffer[self.at : end]
        self.at = end
        return data

    def byte(self) -> int:
        """Take one byte.

        Raises:
            EOFError: there is none.
        """
        if self.at == len(self.buffer):
            self._fill(1)
            if self.at == len(self.buffer):
                raise EOFError
        self.at += 1
        return self.buffer[self.at - 1]

    def exactly(self, size: int) -> bytes:
        """Take exactly so many bytes.

        Raises:
            EOFError: there are fewer.
        """
        end = self.at + size
        if end <= len(self.buffer):
            data = self.buffer[self.at : end]
            self.at = end
            return data
        data = self.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def short(self) -> bytes:
        """Take a byte that tells a length, and as many bytes.

        Raises:
            EOFError: there are fewer.
        """
        at = self.at
        if at < len(self.buffer):
            end = at + 1 + self.buffer[at]
            if end <= len(self.buffer):
                self.at = end
                return self.buffer[at + 1 : end]
        return self.exactly(self.byte())

    def line(self, keep: int) -> bytes:
        """Take a line with its end, or the rest when there is none; what comes behind `keep` bytes is left out.

        Raises:
            EOFError: there is nothing left.
        """
        kept = b""
        while True:
            self._fill(1)
            end = self.buffer.find(b"\n", self.at) + 1
            step = (end or len(self.buffer)) - self.at
            if len(kept) < keep:
                kept += self.buffer[self.at : self.at + min(step, keep - len(kept))]
            self.at += step
            if end or not step:
                break
        if not kept:
            raise EOFError
        return kept

    def skip(self, size: int) -> None:
        """Take bytes without keeping them.

        Raises:
            MissingError: there are fewer.
        """
        while size:
            self._fill(1)
            step = min(size, len(self.buffer) - self.at)
            if not step:
                raise MissingError(size)
            self.at += step
            size -= step

    def drain(self) -> None:
        """Take the rest, for the watchers."""
        while self.peek(1):
            self.at = len(self.buffer)

    def _fill(self, size: int) -> None:
        have = len(self.buffer) - self.at
        if have >= size or self._ended:
            return
        if self._failure is not None:
            if not have:
                raise self._failure
            return
        pieces = [self.buffer[self.at :]] if have else []
        self.before += self.at
        self.at = 0
        self.buffer = b""
        while have < size:
            try:
                chunk = self._next()
            except (TooMuchError, TooSlowError):
                raise
            except Exception as error:
                if not have:
                    raise
                self._failure = error
                break
            if not chunk:
                self._ended = True
                break
            pieces.append(chunk)
            have += len(chunk)
        self.buffer = pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _next(self) -> bytes:
        chunk = self._stream.read(CHUNK)
        if chunk:
            if self._budget:
                self._budget(len(chunk))
            for watch in self._watchers:
                watch(chunk)
        return chunk


class Slice(io.RawIOBase):
    """A piece of a file for random access, perhaps with another end; the file's own place stays where it was."""

    def __init__(self, file: IO[bytes], begin: int, size: int, end: bytes = b"") -> None:
        self._file, self._begin, self._cut, self._end, self._at = file, begin, size, end, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place, from the beginning, from here or from the end."""
        self._at = max(0, (0, self._at, self._cut + len(self._end))[whence] + place)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Bytes from here on."""
        left = max(0, self._cut + len(self._end) - self._at)
        size = left if size < 0 else min(size, left)
        data = b""
        if self._at < self._cut:
            before = self._file.tell()
            self._file.seek(self._begin + self._at)
            data = self._file.read(min(size, self._cut - self._at))
            self._file.seek(before)
        if len(data) < size:
            place = max(0, self._at - self._cut)
            data += self._end[place : place + size - len(data)]
        self._at += len(data)
        return data
