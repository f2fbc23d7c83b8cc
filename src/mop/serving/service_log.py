"""The lines that model processes print: capped in length, in a capped file, with the newest in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

LINE_CHARACTERS = 4000
LINES_IN_MEMORY = 500


class ServiceLog:
    """Takes the lines of all model processes of a service, in order of arrival.

    Args:
        path: file for the lines, or None.
        max_bytes: of that file at most.
        forward: gets each line.
        label: stands before a line's source, where several processes of a front write logs.
    """

    def __init__(self, path: Path | None, max_bytes: int, forward: Callable[[str], None], *, label: str = "") -> None:
        self._label = label
        self._file = path.open("ab", buffering=0) if path else None
        self._room = max_bytes - (path.stat().st_size if path else 0)
        self._forward = forward
        self._tail: deque[tuple[str, str]] = deque(maxlen=LINES_IN_MEMORY)

    def write(self, source: str, text: str) -> None:
        """Add one line of `source`."""
        self._tail.append((source, text))
        line = f"[{self._label}{source}] {text}"
        self._forward(line)
        if self._file is None or self._room <= 0:
            return
        data = line.encode("utf-8", "replace") + b"\n"
        self._room -= len(data)
        if self._room <= 0:
            data += b"[front] the log is full; later lines are left out\n"
        self._file.write(data)

    def tail(self, source: str, count: int) -> list[str]:
        """The newest lines of one process, oldest first."""
        return [text for name, text in self._tail if name == source][-count:]


class LineSplitter:
    """Cuts a stream of bytes into lines; a longer line is cut at LINE_CHARACTERS and its rest dropped."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not self._skipping:
                self._emit(line)
            self._skipping = False
        if len(rest) > LINE_CHARACTERS:
            if not self._skipping:
                self._emit(rest)
            self._skipping = True
            rest = b""
        self._rest = rest

    def close(self) -> None:
        """Write what stands without a line end."""
        if self._rest and not self._skipping:
            self._emit(self._rest)
        self._rest = b""

    def _emit(self, line: bytes) -> None:
        self._write(line.decode("utf-8", "replace").rstrip("\r")[:LINE_CHARACTERS])
