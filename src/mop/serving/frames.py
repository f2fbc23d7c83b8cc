"""The front's end of the frame channel; `model_process.py` describes the frames."""

from __future__ import annotations

import asyncio
import marshal
import os
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

import orjson

from mop.serving.model_process import BUFFER_BYTES, RUN, SERIES, SETTINGS, WITHDRAW

Answers = list[tuple[bool, bytes]]
"""Of each item whether it succeeded, and its output or error as JSON."""
READS_OF_REST = 1000
JOINED_BYTES = 1 << 16
MARSHAL_VERSION = 4  # every Python since 3.4 reads it


class Listed(NamedTuple):
    """The outputs of items that all succeeded.

    Attributes:
        outputs: the JSON list of them, as the model process wrote it.
        sizes: bytes of each, by its word.
    """

    outputs: bytes
    sizes: Sequence[int]

    def __len__(self) -> int:
        return len(self.sizes)

    def each(self) -> Answers:
        """One by one."""
        answers, position = [], 1
        for size in self.sizes:
            answers.append((True, self.outputs[position : position + size]))
            position += size + 1
        return answers


class FrameProtocol(asyncio.BufferedProtocol):
    """Cuts what the model process sends into frames, read into one preallocated buffer.

    Args:
        on_frame: called with kind and body of each frame; the body is valid during the call only.
        on_lost: called once, when the channel is closed, broken or misused, with the misuse.
        limit: bytes that the next frame may have at most.
    """

    def __init__(
        self,
        on_frame: Callable[[int, memoryview], None],
        on_lost: Callable[[str | None], None],
        limit: Callable[[], int],
    ) -> None:
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._limit = limit
        self._buffer = bytearray(BUFFER_BYTES)
        self._start = 0
        self._end = 0
        self._transport: asyncio.Transport | None = None
        self._misuse: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a socket's transport both reads and writes

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the exit status tells more
        """Tell the owner."""
        self._transport = None
        self._on_lost(self._misuse)

    def write(self, *parts: bytes | bytearray) -> None:
        """Send one frame; lost silently with the process."""
        if self._transport is not None:
            self._transport.writelines(parts)

    def read_rest(self, descriptor: int) -> None:
        """Take what a dead process had still written, before the loop would see it."""
        for _ in range(READS_OF_REST):
            if self._transport is None or self._transport.is_closing():
                return
            try:
                count = os.readv(descriptor, [self.get_buffer(-1)])
            except OSError:
                return
            if count == 0:
                return
            self.buffer_updated(count)

    def close(self) -> None:
        """Give up the channel at once."""
        if self._transport is not None:
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the buffer's room is what can be read
        """Room for at least one more byte of the current frame."""
        if self._start == self._end:
            self._start = self._end = 0
        missing = self._missing()
        if self._end + max(missing, 1) > len(self._buffer):
            unread = self._buffer[self._start : self._end]
            self._buffer = bytearray(max(BUFFER_BYTES, len(unread) + missing))
            self._buffer[: len(unread)] = unread
            self._start, self._end = 0, len(unread)
        return memoryview(self._buffer)[self._end :]

    def _missing(self) -> int:
        """Bytes that the current frame still lacks."""
        unread = self._end - self._start
        if unread < 4:  # noqa: PLR2004 - the length field
            return 4 - unread
        return 4 + int.from_bytes(self._buffer[self._start : self._start + 4], "big") - unread

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on every complete frame."""
        self._end += nbytes
        while self._end - self._start >= 4:  # noqa: PLR2004 - the length field
            size = int.from_bytes(self._buffer[self._start : self._start + 4], "big")
            if not 1 <= size <= self._limit():
                self._misuse = f"it sent a frame of {size} bytes where {self._limit()} are allowed"
                self.close()
                return
            if self._end - self._start < 4 + size:
                return
            frame = memoryview(self._buffer)[self._start + 4 : self._start + 4 + size]
            self._start += 4 + size
            self._on_frame(frame[0], frame[1:])
        if self._start == self._end and len(self._buffer) > BUFFER_BYTES:
            self._buffer = bytearray(BUFFER_BYTES)
            self._start = self._end = 0


def settings_frame(body: bytes) -> bytes:
    """The first frame to a model process."""
    return struct.pack(">IB", 1 + len(body), SETTINGS) + body


def run_frame(number: int, items: Sequence[tuple[int, bytes | bytearray]]) -> list[bytes | bytearray]:
    """The frame that hands a batch of (format, JSON) items over; in parts where joining would copy much."""
    table: list[int] = []
    total = 7 + 5 * len(items)
    for form, body in items:
        table += (form, len(body))
        total += len(body)
    head = struct.pack(">IBIH" + "BI" * len(items), total, RUN, number, len(items), *table)
    parts = [head, *(body for _, body in items)]
    return parts if total > JOINED_BYTES else [b"".join(parts)]


def series_frame(number: int, form: int, bodies: Sequence[bytes | bytearray], *, most: int) -> list[bytes]:
    """The frame that hands a list of JSON items over, of which the model gets `most` items at once."""
    values = marshal.dumps(orjson.loads(b"[%b]" % b",".join(bodies)), MARSHAL_VERSION)
    head = struct.pack(">IHHB", number, len(bodies), most, form)
    return [b"".join((struct.pack(">IB", 1 + len(head) + len(values), SERIES), head, values))]


def withdraw_frame(number: int) -> bytes:
    """The frame that takes a batch back which the model may not have begun."""
    return struct.pack(">IBI", 5, WITHDRAW, number)


def read_result(body: memoryview) -> tuple[int, Answers]:
    """Number and (succeeded, JSON) answers of a batch.

    Raises:
        ValueError: the frame is not well-formed.
    """
    try:
        number, count = struct.unpack_from(">IH", body)
        table = struct.unpack_from(">" + "BI" * count, body, 6)
    except struct.error as error:
        raise ValueError(str(error)) from error
    position = 6 + 5 * count
    answers = []
    for index in range(count):
        size = table[2 * index + 1]
        answers.append((table[2 * index] == 1, bytes(body[position : position + size])))
        position += size
    if position != len(body):
        raise ValueError("a result frame with a wrong table")
    return number, answers


def read_listed(body: memoryview) -> tuple[int, Listed]:
    """Number and outputs of a series.

    Raises:
        ValueError: the frame is not well-formed.
    """
    try:
        number, count = struct.unpack_from(">IH", body)
        sizes = struct.unpack_from(f">{count}I", body, 6)
    except struct.error as error:
        raise ValueError(str(error)) from error
    outputs = bytes(body[6 + 4 * count :])
    if len(outputs) != sum(sizes) + count + 1:  # with a bracket at both ends and a comma after each but the last
        raise ValueError("a frame of listed outputs with a wrong table")
    return number, Listed(outputs, sizes)
