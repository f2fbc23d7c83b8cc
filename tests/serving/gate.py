"""Lets a test see that a model's call has begun, and decide when it goes on; no waiting by the clock."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

# A method of the model: tells the test `text`, then waits to be released.
PASS_GATE = """
def pass_gate(self, text):
    with open(self.model_root + "/entered", "wb", buffering=0) as entered:
        entered.write(str(text).encode() + b"\\n")
    with open(self.model_root + "/gate", "rb", buffering=0) as gate:
        gate.read(1)
"""


class Gate:
    def __init__(self, folder: Path) -> None:
        self._entered = _fifo(folder / "model" / "entered")
        self._gate = _fifo(folder / "model" / "gate")
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        asyncio.get_running_loop().add_reader(self._entered, self._read)

    def _read(self) -> None:
        for line in os.read(self._entered, 65536).decode().splitlines():
            self._lines.put_nowait(line)

    async def entered(self) -> str:
        """What the next call told."""
        async with asyncio.timeout(30):
            return await self._lines.get()

    @property
    def told(self) -> list[str]:
        """What further calls told so far."""
        return [self._lines.get_nowait() for _ in range(self._lines.qsize())]

    def release(self, calls: int = 1) -> None:
        os.write(self._gate, b"x" * calls)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._entered)
        os.close(self._entered)
        os.close(self._gate)


def _fifo(path: Path) -> int:
    os.mkfifo(path)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)
