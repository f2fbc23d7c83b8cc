"""Who may work on this host now: many at once, or one alone.

Onboarding steps share the host; a load test has it to itself, because whatever else runs would be measured too. Two
file locks in a folder of the host order them, among all processes of all workers there: the `room` is held while
working, the `door` is passed on the way in. A process that wants to be alone closes the door first, so that none comes
in, and waits until the room is empty. The kernel lets go of the locks of a process that dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO

POLL_SECONDS = 0.1
# who was alone lets those in who wait at the door before the next one closes it
GIVE_WAY_SECONDS = 5 * POLL_SECONDS
WAITS_FOR_ONE = "waits: a load test has this host to itself"
WAITS_FOR_ALL = "waits until nothing else runs on this host"

Told = Callable[[str], object]


class HostLock:
    """The two locks of a host.

    Args:
        folder: on a disk of this host; processes that share it wait for each other.
    """

    def __init__(self, folder: Path) -> None:
        self._door = folder / "door.lock"
        self._room = folder / "room.lock"

    @contextlib.asynccontextmanager
    async def shared(self, told: Told) -> AsyncIterator[None]:
        """Work beside others while the block runs; waits while somebody is alone, or is about to be.

        Args:
            told: hears, once, that it waits; a text for people.
        """
        wait = _Wait(told, WAITS_FOR_ONE)
        with contextlib.ExitStack() as room:
            with contextlib.ExitStack() as door:
                await wait.lock(door, self._door, fcntl.LOCK_SH)
                await wait.lock(room, self._room, fcntl.LOCK_SH)
            yield

    @contextlib.asynccontextmanager
    async def alone(self, told: Told) -> AsyncIterator[None]:
        """Work while nobody else does as long as the block runs; waits for those who do.

        Args:
            told: hears, once, that it waits; a text for people.
        """
        wait = _Wait(told, WAITS_FOR_ALL)
        with contextlib.ExitStack() as both:
            await asyncio.sleep(GIVE_WAY_SECONDS)
            await wait.lock(both, self._door, fcntl.LOCK_EX)
            await wait.lock(both, self._room, fcntl.LOCK_EX)
            yield


class _Wait:
    """Takes locks without blocking the event loop, and tells once that it has to wait."""

    def __init__(self, told: Told, text: str) -> None:
        self._told = told
        self._text = text
        self._has_told = False

    async def lock(self, stack: contextlib.ExitStack, path: Path, kind: int) -> None:
        """Hold the lock until the stack is closed."""
        file = stack.enter_context(_opened(path))
        while not _tried(file, kind):
            if not self._has_told:
                self._has_told = True
                self._told(self._text)
            await asyncio.sleep(POLL_SECONDS)


def _opened(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.open("ab")


def _tried(file: IO[bytes], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
