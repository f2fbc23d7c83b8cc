"""The pipe between a front and its owner: lines renew the lease, its end ends the service."""

from __future__ import annotations

import asyncio
import os
import select
from collections import deque
from collections.abc import Callable

READ_BYTES = 1 << 16
LARGEST_CONFIG_BYTES = 1 << 20
LARGEST_BACKLOG_BYTES = 1 << 20


def read_first_line(descriptor: int) -> tuple[bytes, bytes]:
    """The first line, and what was read beyond it. Blocks.

    Raises:
        EOFError: the pipe ended before the line did.
    """
    data = b""
    while b"\n" not in data:
        part = os.read(descriptor, READ_BYTES)
        if not part or len(data) > LARGEST_CONFIG_BYTES:
            raise EOFError("no configuration line")
        data += part
    line, _, rest = data.partition(b"\n")
    return line, rest


class LeasePipe:
    """Watches the owner's end: `on_end` is called once, with the reason."""

    def __init__(self, descriptor: int, ttl_s: float | None, on_end: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._ttl_s = ttl_s
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._loop.add_reader(descriptor, self._read)
        self._renew()

    def _read(self) -> None:
        if os.read(self._descriptor, READ_BYTES):
            self._renew()
        else:
            self._end("its owner ended")

    def _renew(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._ttl_s is not None:
            self._timer = self._loop.call_later(self._ttl_s, self._end, "its owner did not renew the lease")

    def _end(self, reason: str) -> None:
        self._loop.remove_reader(self._descriptor)
        if self._timer is not None:
            self._timer.cancel()
        self._on_end(reason)


class LineWriter:
    """Writes lines to a pipe without ever blocking; a reader that is 1 MiB behind loses lines, and is told so.

    Args:
        descriptor: of the pipe.
        shared: other processes write to it too: a line is cut at what the kernel writes in one piece.
    """

    def __init__(self, descriptor: int, *, shared: bool = False) -> None:
        self._descriptor = descriptor
        self._longest = select.PIPE_BUF if shared else None
        self._loop = asyncio.get_running_loop()
        self._backlog: deque[bytes] = deque()
        self._size = 0
        self._lost = 0
        self._closed = False
        os.set_blocking(descriptor, False)

    def write(self, line: str) -> None:
        """Queue one line, and send what can be sent."""
        if self._closed:
            return
        if self._size > LARGEST_BACKLOG_BYTES:
            self._lost += 1
            return
        if self._lost:
            self._append(f"[front] {self._lost} lines were left out here")
            self._lost = 0
        self._append(line)
        if self._size == len(self._backlog[0]):
            self._flush()

    def _append(self, line: str) -> None:
        data = line.encode("utf-8", "replace") + b"\n"
        if self._longest is not None and len(data) > self._longest:
            data = data[: self._longest - 1] + b"\n"
        self._backlog.append(data)
        self._size += len(data)

    def _flush(self) -> None:
        try:
            while self._backlog:
                sent = os.write(self._descriptor, self._backlog[0])
                self._size -= sent
                rest = self._backlog.popleft()[sent:]
                if rest:
                    self._backlog.appendleft(rest)
        except BlockingIOError:
            self._loop.add_writer(self._descriptor, self._flush)
            return
        except OSError:
            self._closed = True
            self._backlog.clear()
        self._loop.remove_writer(self._descriptor)
