"""Taking a snapshot: list, check, stream into the store, list again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mop.errors import ModelStructureError, ModelUrlNotFoundError, SourceChangedError, StorageUnavailableError
from mop.file_names import quoted
from mop.storage.artifact_store import ArtifactStore, StoredBlob
from mop.storage.config import SnapshotLimits
from mop.storage.file_source import FileSource
from mop.storage.journal import ResumeJournal
from mop.storage.left_over_files import is_left_over, told
from mop.storage.manifest import Manifest, ManifestFile
from mop.storage.names import check_names
from mop.storage.receiving import drop_parts, receive
from mop.storage.source import Source, SourceFile

_READINGS = 3
_DOWNLOADS = 4
_PROGRESS_EVERY_S = 0.5


@dataclass(frozen=True)
class SnapshotProgress:
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int


async def take_snapshot(
    source: Source,
    store: ArtifactStore,
    *,
    limits: SnapshotLimits,
    log: Callable[[str], None],
    progress: Callable[[SnapshotProgress], None] | None = None,
    journal: ResumeJournal | None = None,
    only: str = "",
) -> Manifest:
    """Copy a folder into the store, each file under its SHA-256, and store the manifest.

    The folder is listed again at the end; one that changed meanwhile is read again (unchanged files are not), three
    times in all. What operating systems and tools leave behind (`.DS_Store`, `__MACOSX`) is left out.
    The source is left open. With a journal (of this source; the store must be local) it goes on where an interrupted
    snapshot of the source stopped, and the journal is removed at the end. With `only`, the path of one file, nothing
    else of the folder is read.

    Raises:
        ModelUrlNotFoundError: the one file is not there.
        ModelStructureError: a name, a kind of file, a size or the number of files breaks a rule; nothing was written.
        SourceChangedError: the folder never stood still.
        DiskFullError, StorageUnavailableError, and what `Source.list` and `Source.read` raise.
    """
    stored: dict[SourceFile, ManifestFile] = {}
    named = False
    for reading in range(1, _READINGS + 1):
        try:
            listed, left_over = await _list(source, limits, only)
            if left_over and not named:
                named = True
                log(told([quoted(path) for path in left_over]))
            log(f"Reading {len(listed):,} files, {sum(file.size for file in listed):,} bytes.")
            copy = _Copy(source, store, stored, listed, progress, journal)
            await copy.run()
            if copy.resumed:
                log(f"{copy.resumed:,} bytes were there from an interrupted snapshot.")
            change = "" if set((await _list(source, limits, only))[0]) == set(listed) else "the listing differs"
        except SourceChangedError as error:
            change = error.message
        if not change:
            manifest = Manifest.of(stored[file] for file in listed)
            await store.put_manifest(manifest)
            if journal is not None:
                journal.finish()
            log(f"Snapshot sha256:{manifest.digest} of {len(manifest.files):,} files is stored.")
            return manifest
        log(f"The folder changed while it was read ({change}); reading {reading} of {_READINGS} is void.")
    raise SourceChangedError(f"The model folder changed during each of {_READINGS} readings.")


async def store_folder(
    folder: Path,
    store: ArtifactStore,
    *,
    limits: SnapshotLimits,
    log: Callable[[str], None],
    progress: Callable[[SnapshotProgress], None] | None = None,
) -> Manifest:
    """A local folder through the same rules as a model url; raises as `take_snapshot`."""
    source = FileSource.of_folder(folder)
    try:
        return await take_snapshot(source, store, limits=limits, log=log, progress=progress)
    finally:
        await source.close()


async def _list(source: Source, limits: SnapshotLimits, only: str) -> tuple[Sequence[SourceFile], Sequence[str]]:
    """A listing that is within every rule, before anything is read or written, and the paths that are left out."""
    everything = await source.list(at_most=limits.files)
    if only:
        everything = [file for file in everything if file.path == only]
        if not everything:
            raise ModelUrlNotFoundError(
                f"The model folder holds no {only}.", hint=f"Give the url of the folder that holds {only}."
            )
    left_over = [file.path for file in everything if is_left_over(file.path)]
    files = [file for file in everything if not is_left_over(file.path)]
    check_names([file.path for file in files])
    faults = [
        f"{quoted(file.path)} has {file.size:,} bytes, more than {limits.file_bytes:,}"
        for file in files
        if file.size > limits.file_bytes
    ]
    if (total := sum(file.size for file in files)) > limits.total_bytes:
        faults.append(f"the files have {total:,} bytes in all, more than {limits.total_bytes:,}")
    if faults:
        raise ModelStructureError(
            f"The model folder is too large: {faults[0]}.",
            hint="Remove what the model does not need, or ask the operator for higher limits.",
            also=faults[1:20],
        )
    return files, left_over


class _Copy:
    """One reading of the listed files, a few side by side."""

    def __init__(
        self,
        source: Source,
        store: ArtifactStore,
        stored: dict[SourceFile, ManifestFile],
        listed: Sequence[SourceFile],
        progress: Callable[[SnapshotProgress], None] | None,
        journal: ResumeJournal | None,
    ) -> None:
        self._source, self._store, self._stored, self._listed = source, store, stored, listed
        self._progress, self._journal = progress, journal
        self._waiting = iter([file for file in listed if file not in stored])
        self._received = {file: file.size for file in listed if file in stored}
        self._last_told = time.monotonic()
        self.resumed = 0

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_DOWNLOADS):
                    group.create_task(self._worker())
        except BaseExceptionGroup as errors:
            error = _first(errors)
            if self._journal is not None and not isinstance(error, StorageUnavailableError | SourceChangedError):
                drop_parts(self._listed, self._store, self._journal)  # also of the files that were cut short by it
            raise error from None
        self._tell(final=True)

    async def _worker(self) -> None:
        for file in self._waiting:
            blob = await self._receive(file)
            if file.size and file not in self._received:  # nothing of it had to be read
                self.resumed += file.size
            self._received[file] = file.size
            self._stored[file] = ManifestFile(path=file.path, size=blob.size, sha256=blob.sha256)
            self._tell(final=False)

    async def _receive(self, file: SourceFile) -> StoredBlob:
        if self._journal is None:
            return await self._store.put_file(self._counted(file, 0))
        return await receive(file, partial(self._counted, file), self._store, self._journal)

    async def _counted(self, file: SourceFile, start: int) -> AsyncGenerator[bytes, None]:
        self.resumed += start
        self._received[file] = start
        async with aclosing(self._source.read(file, start=start)) as chunks:
            async for chunk in chunks:
                yield chunk
                self._received[file] += len(chunk)
                self._tell(final=False)

    def _tell(self, *, final: bool) -> None:
        now = time.monotonic()
        if self._progress is None or (not final and now - self._last_told < _PROGRESS_EVERY_S):
            return
        self._last_told = now
        self._progress(
            SnapshotProgress(
                files_done=sum(file in self._stored for file in self._listed),
                files_total=len(self._listed),
                bytes_done=sum(self._received.values()),
                bytes_total=sum(file.size for file in self._listed),
            )
        )


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to tell when several files failed at once: one that is final rather than one worth a retry."""
    flat = [error for error in errors.exceptions if not isinstance(error, SourceChangedError)]
    return (flat or list(errors.exceptions))[0]
