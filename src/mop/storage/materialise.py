"""Materialising: a snapshot back into a read-only folder, every byte verified."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from mop import failpoints
from mop.errors import DiskFullError
from mop.storage.artifact_store import ArtifactStore, damaged
from mop.storage.manifest import Manifest, ManifestFile
from mop.storage.marker import Marker, locked_marker, marker_path

_WRITES = 4
_WRITING = "writing"
_FILE_MODE, _FOLDER_MODE = 0o444, 0o555
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


async def materialise(digest: str, store: ArtifactStore, target: Path, *, log: Callable[[str], None]) -> Manifest:
    """Write the snapshot's files below `target`: files 0444, folders 0555, nothing but regular files.

    The folder appears complete, by a rename, or not at all. A small file beside it, `<target>.digest`, says which
    snapshot it holds and is locked meanwhile: the same snapshot is not written twice, another one replaces it.

    Args:
        digest: the manifest's digest.
        store: where the snapshot is.
        target: the folder to make; its parent is made when missing.
        log: takes one line.

    Raises:
        ArtifactDamagedError: the store lost or changed a blob.
        DiskFullError: no room for the folder.
        FileExistsError: `target` exists and was not made by this function.
    """
    manifest = await store.get_manifest(digest)
    await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
    async with locked_marker(target) as marker:
        if await asyncio.to_thread(_is_complete, target, marker, manifest):
            log(f"Snapshot sha256:{digest} is already at its place.")
            return manifest
        partial = target.with_name(f".{target.name}.partial")
        try:
            await asyncio.to_thread(_make_room, target, marker, partial)
            await _write_files(manifest, store, partial)
            await asyncio.to_thread(_finish, manifest, partial, target, marker)
        except OSError as error:
            if error.errno in _NO_SPACE:
                raise DiskFullError(f"No room to write the snapshot at {target}: {error.strerror}.") from error
            raise
        finally:
            await asyncio.to_thread(_remove_tree, partial)
    log(f"Snapshot sha256:{digest} is written: {len(manifest.files):,} files, {manifest.total_bytes:,} bytes.")
    return manifest


def remove_folder(folder: Path) -> None:
    """Remove a materialised folder and its marker; what is missing is fine. Nobody may be materialising it."""
    _remove_tree(folder)
    marker_path(folder).unlink(missing_ok=True)


def _remove_tree(folder: Path) -> None:
    """Remove a folder of read-only folders."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for path, _, _ in os.walk(folder):
        Path(path).chmod(0o700)
    shutil.rmtree(folder)


def _is_complete(target: Path, marker: Marker, manifest: Manifest) -> bool:
    return (
        marker.read() == manifest.digest
        and target.is_dir()
        and sizes_of(target) == {file.path: file.size for file in manifest.files}
    )


def _make_room(target: Path, marker: Marker, partial: Path) -> None:
    if not marker.read() and os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "not a folder that was materialised here", str(target))
    marker.write(_WRITING)
    _remove_tree(partial)
    _remove_tree(target)
    partial.mkdir(mode=0o700)


async def _write_files(manifest: Manifest, store: ArtifactStore, folder: Path) -> None:
    waiting = iter(manifest.files)

    async def worker() -> None:
        for file in waiting:
            await _write_file(file, store, folder)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_WRITES):
                group.create_task(worker())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _write_file(file: ManifestFile, store: ArtifactStore, folder: Path) -> None:
    path = folder / file.path
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sha256, size = hashlib.sha256(), 0
    with path.open("xb") as output:
        async for chunk in store.get(file.sha256):
            sha256.update(chunk)
            size += len(chunk)
            await asyncio.to_thread(output.write, chunk)
        os.fchmod(output.fileno(), _FILE_MODE)
    if (size, sha256.hexdigest()) != (file.size, file.sha256):
        raise damaged(f"blob {file.sha256} does not match its digest")


def _finish(manifest: Manifest, partial: Path, target: Path, marker: Marker) -> None:
    if sizes_of(partial) != {file.path: file.size for file in manifest.files}:
        raise damaged(f"the folder of {manifest.digest} does not hold what its manifest says")
    for path, _, _ in os.walk(partial, topdown=False):
        Path(path).chmod(_FOLDER_MODE)
    failpoints.hit("before model folder rename")
    partial.rename(target)
    failpoints.hit("after model folder rename")
    marker.write(manifest.digest)


def sizes_of(folder: Path) -> dict[str, int]:
    """The sizes of the files below a folder, by lstat.

    Raises:
        ArtifactDamagedError: something is not a regular file.
    """
    sizes: dict[str, int] = {}
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            entry = Path(path, name)
            status = entry.lstat()
            if stat.S_ISREG(status.st_mode):
                sizes[entry.relative_to(folder).as_posix()] = status.st_size
            elif not stat.S_ISDIR(status.st_mode):
                raise damaged(f"{entry.name} in a materialised folder is not a regular file")
    return sizes
