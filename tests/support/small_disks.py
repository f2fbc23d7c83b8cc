"""Disks of a few megabytes that a test fills and makes larger."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MIB = 1 << 20


class SmallDisk:
    """A mounted tmpfs. Only root can have one; outside most containers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave_room(self, size: int) -> None:
        """Make the disk as large as what it holds and `size` bytes."""
        state = os.statvfs(self.folder)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        self._mount("remount,", used + size)

    def mount(self) -> bool:
        """Mount it, 256 MiB large; False where that is not allowed."""
        return self._mount("", 256 * MIB)

    def unmount(self) -> None:
        """Remove it, with what is on it."""
        subprocess.run(["umount", "--lazy", self.folder], check=True)
        self.folder.rmdir()

    def _mount(self, option: str, size: int) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", f"{option}size={size}", "none", self.folder]
        return subprocess.run(command, check=bool(option), capture_output=True).returncode == 0


@contextmanager
def small_disk() -> Iterator[SmallDisk]:
    """A disk for the block; the test is skipped where nobody may mount one."""
    folder = Path(tempfile.mkdtemp(prefix="mop-d-", dir="/tmp"))
    folder.chmod(0o711)
    disk = SmallDisk(folder)
    if not disk.mount():
        folder.rmdir()
        pytest.skip("this host lets nobody mount a small disk")
    try:
        yield disk
    finally:
        disk.unmount()
