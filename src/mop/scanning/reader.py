"""Sequential reading of hostile bytes: bounded, with one look ahead, watched by those that want to see every byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

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
        self._buffer = b""
        self._at = 0
        self._before = 0
        self._ended = False

    @property
    def position(self) -> int:
        """How many bytes were taken."""
        return self._before + self._at

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end, without taking them."""
        self._fill(size)
        return self._buffer[self._at : self._at + size]

    def read(self, size: int, /) -> bytes:
        """Take at most so many bytes; fewer only at the end."""
        if len(self._buffer) - self._at < size:
            self._fill(size)
        data = self._buffer[self._at : self._at + size]
        self._at += len(data)
        return data

    def byte(self) -> int:
        """Take one byte.

        Raises:
            EOFError: there is none.
        """
        if self._at == len(self._buffer):
            self._fill(1)
            if self._at == len(self._buffer):
                raise EOFError
        self._at += 1
        return self._buffer[self._at - 1]

    def exactly(self, size: int) -> bytes:
        """Take exactly so many bytes.

        Raises:
            EOFError: there are fewer.
        """
        data = self.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def line(self, keep: int) -> bytes:
        """Take a line with its end, or the rest when there is none; what comes behind `keep` bytes is left out.

        Raises:
            EOFError: there is nothing left.
        """
        kept = b""
        while True:
            self._fill(1)
            end = self._buffer.find(b"\n", self._at) + 1
            step = (end or len(self._buffer)) - self._at
            if len(kept) < keep:
                kept += self._buffer[self._at : self._at + min(step, keep - len(kept))]
            self._at += step
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
            step = min(size, len(self._buffer) - self._at)
            if not step:
                raise MissingError(size)
            self._at += step
            size -= step

    def drain(self) -> None:
        """Take the rest, for the watchers."""
        while self.peek(1):
            self._at = len(self._buffer)

    def _fill(self, size: int) -> None:
        have = len(self._buffer) - self._at
        if have >= size or self._ended:
            return
        pieces = [self._buffer[self._at :]] if have else []
        self._before += self._at
        self._at = 0
        while have < size:
            chunk = self._next()
            if not chunk:
                self._ended = True
                break
            pieces.append(chunk)
            have += len(chunk)
        self._buffer = pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _next(self) -> bytes:
        chunk = self._stream.read(CHUNK)
        if chunk:
            if self._budget:
                self._budget(len(chunk))
            for watch in self._watchers:
                watch(chunk)
        return chunk
