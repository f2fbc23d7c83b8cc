"""A part of a stream that moves forward: what was read is forgotten, so that memory does not grow with the file."""

from __future__ import annotations

from typing import Protocol

CHUNK = 1024**2


class ByteStream(Protocol):
    """What can be read in pieces: a file opened for bytes, a pipe, the body of an answer."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...


class Window:
    """The bytes of a stream from where the reader stands.

    Attributes:
        data: what is held; the reader stands at `position` in it.
        position: index into `data`. Reading more moves it to 0.
        passed: bytes of the stream before `data[position]`.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._has_ended = False
        self.data = b""
        self.position = 0
        self.passed = 0

    @property
    def held(self) -> int:
        """How many bytes are held from the reader's place on."""
        return len(self.data) - self.position

    def extend(self) -> bool:
        """Read more; whether there was more."""
        if self._has_ended:
            return False
        # a long row is read in growing pieces, so that the copies below cost a constant number of times its length;
        # a pipe or a connection gives less than is asked for
        wanted = max(CHUNK, self.held // 2)
        parts = [self.data[self.position :]] if self.held else []
        while wanted > 0 and (chunk := self._stream.read(wanted)):
            parts.append(chunk)
            wanted -= len(chunk)
        self._has_ended = wanted > 0
        if len(parts) == (1 if self.held else 0):
            return False
        self.data = parts[0] if len(parts) == 1 else b"".join(parts)
        self.position = 0
        return True

    def advance(self, count: int) -> None:
        """Move forward by so many bytes that are held."""
        self.position += count
        self.passed += count

    def find(self, byte: bytes, *, after: int = 0, most: int) -> int:
        """How far ahead the byte is, from `after` on and within `most` bytes; -1 if it is not there."""
        while True:
            place = self.data.find(byte, self.position + after, self.position + most)
            if place >= 0:
                return place - self.position
            after = max(after, min(self.held, most))
            if self.held >= most or not self.extend():
                return -1

    def lines(self, size: int) -> bytes:
        """Whole lines of about so many bytes, their line feeds included; empty if no line ends within them."""
        while self.held < size and self.extend():
            pass
        end = self.data.rfind(b"\n", self.position, self.position + size) + 1
        return self.data[self.position : end]

    def skip_line(self) -> None:
        """Move behind the next line feed, however far away it is, or to the end."""
        while True:
            place = self.data.find(b"\n", self.position)
            if place >= 0:
                self.advance(place + 1 - self.position)
                return
            self.advance(self.held)
            if not self.extend():
                return
