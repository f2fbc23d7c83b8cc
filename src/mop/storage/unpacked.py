"""Folders that were materialised: which are in use, when each was last used, and removing one that is not.

Beside the folder stand its marker (`.digest`, locked while the folder is written or removed; its time of change is
the last use) and `.use`, which those who use the folder share.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mop.storage.artifact_store import ArtifactStore
from mop.storage.manifest import Manifest
from mop.storage.marker import free_marker, marker_path, try_lock
from mop.storage.materialise import materialise, remove_folder

_SUFFIX = ".digest"
_POLL_SECONDS = 0.02
_BLOCK_BYTES = 512


@dataclass(frozen=True)
class UnpackedFolder:
    """A materialised folder: its size on disk and its last use, seconds since the epoch.

    `is_whole` is False for what a killed `materialise` left.
    """

    folder: Path
    bytes: int
    last_used: float
    is_whole: bool


async def unpack(digest: str, store: ArtifactStore, target: Path, *, log: Callable[[str], None]) -> Manifest:
    """`materialise`, noted as a use: the folder is safe from removal for a while, as `folder_in_use` makes it after."""
    _note_use(target)
    manifest = await materialise(digest, store, target, log=log)
    _note_use(target)
    return manifest


@contextmanager
def folder_in_use(target: Path) -> Iterator[None]:
    """Nobody removes the folder while the block runs."""
    # it is held alone while a folder is removed: at most for a moment, since this one was used just now
    while (descriptor := try_lock(_use_path(target), fcntl.LOCK_SH)) is None:
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        _note_use(target)
        os.close(descriptor)


def unpacked_folders(root: Path) -> list[UnpackedFolder]:
    """The materialised folders in `root`, and what is left of some."""
    found = []
    for marker in sorted(root.glob(f"*{_SUFFIX}")):
        folder = marker.with_name(marker.name.removesuffix(_SUFFIX))
        size = _disk_bytes(folder) + _disk_bytes(_partial(folder))
        with suppress(FileNotFoundError):
            found.append(UnpackedFolder(folder, size, marker.stat().st_mtime, folder.is_dir()))
    return found


def remove_unpacked(folder: Path, *, unused_since: float) -> bool:
    """Remove a folder that nobody writes or uses and nobody used since; tells whether it is gone."""
    with free_marker(folder) as marker:
        if marker is None or marker_path(folder).stat().st_mtime >= unused_since:
            return False
        use = _use_path(folder)
        descriptor = try_lock(use)
        if descriptor is None:
            return False
        try:
            remove_folder(_partial(folder))
            remove_folder(folder)
            use.unlink()
        finally:
            os.close(descriptor)
        return True


def _note_use(folder: Path) -> None:
    with suppress(FileNotFoundError):
        os.utime(marker_path(folder))


def _use_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.use")


def _partial(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.partial")


def _disk_bytes(folder: Path) -> int:
    return sum(
        Path(path, name).lstat().st_blocks * _BLOCK_BYTES for path, _, names in os.walk(folder) for name in names
    )
