"""Sequential reading of hostile bytes: bounded, with one look ahead, watched by whoever wants to see every byte."""

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


class Reader:
    """Reads a stream once.

    Args:
        stream: where the bytes come from.
        watchers: called with each chunk as it is first read, in order.
        budget: called with the size of each chunk; may raise TooMuchError.
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

    def line(self, size: int) -> bytes:
        """Take a line without its end.

        Raises:
            EOFError: there is no end of a line within so many bytes.
        """
        end = self.peek(size).find(b"\n")
        if end < 0:
            raise EOFError
        line = self.exactly(end + 1)
        return line[:-1]

    def skip(self, size: int) -> None:
        """Take bytes without keeping them.

        Raises:
            EOFError: there are fewer.
        """
        while size:
            self._fill(1)
            step = min(size, len(self._buffer) - self._at)
            if not step:
                raise EOFError
            self._at += step
            size -= step

    def drain(self) -> None:
        """Take the rest, for the watchers."""
        while self.peek(1):
            self._at = len(self._buffer)

    def _fill(self, size: int) -> None:
        while len(self._buffer) - self._at < size and not self._ended:
            chunk = self._stream.read(CHUNK)
            if not chunk:
                self._ended = True
                return
            if self._budget:
                self._budget(len(chunk))
            for watch in self._watchers:
                watch(chunk)
            self._before += self._at
            self._buffer = self._buffer[self._at :] + chunk
            self._at = 0
