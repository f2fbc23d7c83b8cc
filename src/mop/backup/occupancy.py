"""Who uses MOP_HOME now: processes hold a shared lock on the folder itself, and an exclusive one to replace it.

The lock is the folder's, so that it holds for every process of the host whatever its name, and ends with the process.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mop.errors import BackupRefusedError

# stands in MOP_HOME while its content is replaced
INTERRUPTED = "restore-in-progress"

_held: list[int] = []


def occupy(home: Path) -> None:
    """Use the home for as long as this process lives; children do not inherit it.

    Raises:
        BackupRefusedError: it is being replaced, or was left half-replaced.
    """
    _held.append(_lock(home, fcntl.LOCK_SH))


@contextmanager
def occupied(home: Path) -> Iterator[None]:
    """Use the home within the block.

    Raises:
        BackupRefusedError: it is being replaced, or was left half-replaced.
    """
    descriptor = _lock(home, fcntl.LOCK_SH)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def emptied_of_users(home: Path) -> Iterator[None]:
    """Nobody uses the home within the block, nor begins to.

    Raises:
        BackupRefusedError: MOP runs on it.
    """
    descriptor = _lock(home, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(home: Path, kind: int) -> int:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        if kind == fcntl.LOCK_SH:
            _refuse_half_replaced(home)
    except BlockingIOError as error:
        os.close(descriptor)
        if kind == fcntl.LOCK_SH:
            raise BackupRefusedError(f"{home} is being restored now.", hint="Wait until it is done.") from error
        raise BackupRefusedError(
            f"MOP runs on {home}.", hint="Stop `mop up` and every `mop worker` of this installation first."
        ) from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_half_replaced(home: Path) -> None:
    marker = home / INTERRUPTED
    if marker.exists():
        raise BackupRefusedError(
            f"{home} was left half-replaced: {marker.read_text(encoding='utf-8').strip()}.",
            hint=f"Run `mop restore` again; or move that folder's content back and remove {INTERRUPTED}.",
        )
