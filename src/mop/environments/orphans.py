"""Finds and ends what a killed builder left running, so that two builds never write one folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

MARK = "MOP_BUILD"
"""Environment variable of every step: the lock file of its key. What is in the cage lacks it and dies with the cage."""

_GRACE_SECONDS = 3.0
_POLL_SECONDS = 0.05


async def end_orphans(lock: Path, *, log: Callable[[str], None]) -> None:
    """End the processes of earlier builds of this key; the caller holds its lock, so none of them is wanted."""
    started = time.monotonic()
    told = False
    while found := await asyncio.to_thread(_find, lock):
        if not told:
            log("ends what a killed build of this environment left running")
            told = True
        late = time.monotonic() - started > _GRACE_SECONDS
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL if late else signal.SIGTERM)
        await asyncio.sleep(_POLL_SECONDS)


def _find(lock: Path) -> list[int]:
    mark = f"{MARK}={lock}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        # A process that is another user's, or has ended, is none of ours; a zombie's environment is empty.
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
