"""The marker beside a materialised folder: says what it holds, and is locked while it is written."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

_LOCK_RETRY_S = 0.1
_MAX_BYTES = 256


class Marker:
    """An open, locked marker; its text is empty when it was made just now."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> str:
        return os.pread(self._descriptor, _MAX_BYTES, 0).decode(errors="replace")

    def write(self, text: str) -> None:
        """Replace the text, durably."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)
        os.fsync(self._descriptor)


def marker_path(folder: Path) -> Path:
    """Where a folder's marker stands: beside it, never in it."""
    return folder.with_name(f"{folder.name}.digest")


@asynccontextmanager
async def locked_marker(folder: Path) -> AsyncGenerator[Marker, None]:
    """Hold the marker of a folder; waits while another process holds it. An empty one is removed at the end."""
    path = marker_path(folder)
    while (descriptor := try_lock(path)) is None:  # noqa: ASYNC110  # a blocking flock could not be cancelled
        await asyncio.sleep(_LOCK_RETRY_S)
    with _held(path, descriptor) as marker:
        yield marker


@contextmanager
def free_marker(folder: Path) -> Iterator[Marker | None]:
    """Hold the marker of a folder if nobody else does; None if somebody does. An empty one is removed at the end."""
    path = marker_path(folder)
    descriptor = try_lock(path)
    if descriptor is None:
        yield None
        return
    with _held(path, descriptor) as marker:
        yield marker


@contextmanager
def _held(path: Path, descriptor: int) -> Iterator[Marker]:
    marker = Marker(descriptor)
    try:
        yield marker
    finally:
        if not marker.read():
            path.unlink(missing_ok=True)
        os.close(descriptor)


def try_lock(path: Path, how: int = fcntl.LOCK_EX) -> int | None:
    """The descriptor of the locked file, made when missing; None if others hold it, or removed it just now."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(descriptor).st_ino:  # not removed between open and lock
            return descriptor
    os.close(descriptor)
    return None
