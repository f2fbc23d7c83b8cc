"""Folders as a whole: their size on disk, and their removal whatever modes they have."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

BLOCK_BYTES = 512

Inodes = dict[int, int]
"""Bytes on disk by inode: a file with several names counts once."""


def inodes_of(folder: Path) -> Inodes:
    """What a tree holds; what vanishes or cannot be read meanwhile is left out."""
    found: Inodes = {}
    folders = [os.fspath(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    found[status.st_ino] = status.st_blocks * BLOCK_BYTES
                    if stat.S_ISDIR(status.st_mode):
                        folders.append(entry.path)
        except OSError:
            continue
    return found


def remove(folder: Path) -> None:
    """Remove a tree, whatever modes a build script gave its folders."""

    def open_and_retry(retry: Callable[[str], object], path: str, _error: object) -> None:
        parent = os.path.dirname(path)  # noqa: PTH120 - the callback's argument is text
        if not os.path.lexists(path):
            return
        os.chmod(parent, 0o700)  # noqa: PTH101
        if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114
            os.chmod(path, 0o700)  # noqa: PTH101
            shutil.rmtree(path)
        else:
            retry(path)

    if os.path.lexists(folder):
        shutil.rmtree(folder, onerror=open_and_retry)
