"""Places at which a test lets MOP die, to prove that a crash there loses nothing.

    failpoints.hit("before verified")

Off, a failpoint costs one comparison. `arm(folder)` turns them on in this process: a process that reaches the failpoint
`before verified` while the file `before-verified` stands in the folder removes the file and is killed by SIGKILL, as
by the kernel or an operator. So each file is one death, in whichever process comes first, and the process that is
started next goes on from there.
"""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

_armed: Path | None = None

logger = logging.getLogger(__name__)


def arm(folder: Path) -> None:
    """Turn failpoints on in this process. For tests of crashes only."""
    global _armed  # noqa: PLW0603 - one process lives or dies
    _armed = folder
    logger.warning("failpoints in %s kill this process: no installation for people", folder)


def armed() -> Path | None:
    """The folder that `arm` was given, for processes that this one starts."""
    return _armed


def hit(name: str) -> None:
    """Die here if a test wants it."""
    if _armed is None:
        return
    try:
        file_of(_armed, name).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def file_of(folder: Path, name: str) -> Path:
    """The file that stands for a failpoint."""
    return folder / name.replace(" ", "-")
