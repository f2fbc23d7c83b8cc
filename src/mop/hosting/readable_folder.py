"""A local folder as the cage's user can read it.

Started by root, MOP's jobs run under a uid of their own, which may not read what belongs to root alone: safetensors
writes its files so, and so does everything that was made as a temporary file. Snapshots are readable by construction.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mop.sandbox import Sandbox

_ENTER = stat.S_IROTH | stat.S_IXOTH


@contextmanager
def readable_folder(folder: Path, sandbox: Sandbox, *, place: Path, log: Callable[[str], None]) -> Iterator[Path]:
    """The folder itself, or a copy in `place` while the block runs, when the cage's user may not read all of it.

    Links stay links, modes stay but for the right to read. A folder with devices or sockets is not copied: what cannot
    be read is then said to be so.
    """
    if sandbox.service_uid is None or not _is_closed(folder):
        yield folder
        return
    log("files that only their owner may read are copied for the scan")
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix="scan-") as temporary:
        copy = Path(temporary, "folder")
        _copy(folder, copy)
        yield copy


def _is_closed(folder: Path) -> bool:
    """Whether anything in the folder cannot be read by everybody, and all of it can be copied."""
    closed = False
    for entry in _entries(folder):
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            closed |= mode & _ENTER != _ENTER
        elif stat.S_ISREG(mode):
            closed |= not mode & stat.S_IROTH
        elif not (stat.S_ISLNK(mode) or stat.S_ISFIFO(mode)):
            return False
    return closed


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything in the folder, however deep; a folder before what is in it."""
    waiting = [str(folder)]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            yield entry
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)


def _copy(source: Path, target: Path) -> None:
    target.mkdir(mode=0o755)
    for entry in _entries(source):
        path = target / Path(entry.path).relative_to(source)
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            path.mkdir(mode=0o755)
        elif stat.S_ISLNK(mode):
            path.symlink_to(Path(entry.path).readlink())
        elif stat.S_ISFIFO(mode):
            os.mkfifo(path)
        else:
            shutil.copyfile(entry.path, path)
            path.chmod(stat.S_IMODE(mode) | 0o444)
