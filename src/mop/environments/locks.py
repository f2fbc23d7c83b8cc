"""One build of an environment at a time, and no removal of one in use; across processes.

Two files for each key: `locks/KEY` is held while the environment is built, replaced or removed; `locks/KEY.use` is
shared by those who use it. Only garbage collection removes these files, while it holds them.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path

USE = ".use"

_POLL_SECONDS = 0.1
_FLAGS = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC


@asynccontextmanager
async def key_lock(path: Path, *, log: Callable[[str], None]) -> AsyncIterator[None]:
    """Hold the lock file at `path`. A killed holder gives it back; see `orphans` for what it may leave running."""
    path.parent.mkdir(parents=True, exist_ok=True)
    waited = False
    while (descriptor := _try(path, fcntl.LOCK_EX)) is None:
        if not waited:
            log("waits for another build of the same environment")
            waited = True
        await asyncio.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def free_key(path: Path) -> Iterator[bool]:
    """Hold the lock if nobody else does; yields whether it is held."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _try(path, fcntl.LOCK_EX)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def shared_use(lock: Path) -> Iterator[None]:
    """Use the environment of the lock file `lock`: it is not removed meanwhile. Blocks for a moment at most."""
    path = use_path(lock)
    path.parent.mkdir(parents=True, exist_ok=True)
    # it is held alone only while a folder is renamed
    while (descriptor := _open(path, fcntl.LOCK_SH)) is None:
        pass
    try:
        yield
    finally:
        os.close(descriptor)


def unused_key(lock: Path) -> AbstractContextManager[bool]:
    """Hold the environment of `lock` against new users; yields whether nobody uses it."""
    return free_key(use_path(lock))


def use_path(lock: Path) -> Path:
    """The file that users of the key share."""
    return lock.with_name(f"{lock.name}{USE}")


def _try(path: Path, how: int) -> int | None:
    try:
        return _open(path, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return None


def _open(path: Path, how: int) -> int | None:
    """The locked descriptor; None if the file was removed between opening and locking."""
    descriptor = os.open(path, _FLAGS, 0o600)
    try:
        fcntl.flock(descriptor, how)
        if os.path.samestat(path.stat(), os.fstat(descriptor)):
            return descriptor
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
