"""Receiving one file so that a killed process loses little of it: the part that is on disk is proved and continued."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from mop.errors import MopError, StorageUnavailableError
from mop.storage.artifact_store import CHUNK_BYTES, ArtifactStore, StoredBlob, store_fault
from mop.storage.journal import ResumeJournal
from mop.storage.marker import try_lock
from mop.storage.source import SourceFile

if TYPE_CHECKING:
    from hashlib import _Hash

CHECKPOINT_BYTES = 8 << 20
Read = Callable[[int], AsyncGenerator[bytes, None]]
_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")


async def receive(file: SourceFile, read: Read, store: ArtifactStore, journal: ResumeJournal) -> StoredBlob:
    """Store a file under its SHA-256, going on behind what an earlier try left.

    Args:
        file: as listed.
        read: gives its bytes from a position on.
        store: a local store.
        journal: of the file's source.

    Raises:
        MopError: what `read` and the store raise. Only a storage that is out of reach leaves the part for the next try.
    """
    whole = StoredBlob(journal.known(file).get(file.size, ""), file.size)
    if whole.sha256 and await store.is_whole(whole):
        return whole
    name = journal.part_name(file)
    path = store.incoming(name)
    descriptor = _locked(path) if file.size > CHECKPOINT_BYTES else None
    if descriptor is None:  # too small for a checkpoint, or another snapshot of the folder receives it just now
        blob = await store.put_file(read(0))
        journal.note(file, blob.size, blob.sha256)
        return blob
    try:
        part = await _Part.proved(descriptor, journal.known(file))
        async with aclosing(read(part.size)) as chunks:
            noted = part.size
            async for chunk in chunks:
                await _finished(part.append, chunk)
                if part.size - noted >= CHECKPOINT_BYTES:
                    noted = part.size
                    journal.note(file, part.size, part.sha256)
        blob = StoredBlob(sha256=part.sha256, size=part.size)
        await store.adopt(name, blob)
        journal.note(file, blob.size, blob.sha256)
    except BaseException as error:
        if isinstance(error, MopError | OSError) and not isinstance(error, StorageUnavailableError):
            path.unlink(missing_ok=True)  # it changed, it may not be read, or the disk is full: no use for the part
        if isinstance(error, OSError):
            raise store_fault(error) from error
        raise
    finally:
        os.close(descriptor)
    return blob


def drop_parts(files: Iterable[SourceFile], store: ArtifactStore, journal: ResumeJournal) -> None:
    """Give back the room that parts of these files take; one that another snapshot receives just now stays."""
    for file in files:
        path = store.incoming(journal.part_name(file))
        if path.exists() and (descriptor := try_lock(path)) is not None:
            path.unlink()
            os.close(descriptor)


def _locked(path: Path) -> int | None:
    try:
        return try_lock(path)
    except OSError as error:
        raise store_fault(error) from error


async def _finished(work: Callable[[*_Arguments], _Result], *arguments: *_Arguments) -> _Result:
    """Work in a thread; who is cancelled waits for its end, as the descriptor that it uses is closed next."""
    task = asyncio.create_task(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class _Part:
    """A file that grows, and the SHA-256 of what is in it."""

    def __init__(self, descriptor: int, size: int, sha256: _Hash) -> None:
        self._descriptor, self.size, self._sha256 = descriptor, size, sha256
        os.ftruncate(descriptor, size)
        os.lseek(descriptor, size, os.SEEK_SET)

    @classmethod
    async def proved(cls, descriptor: int, known: dict[int, str]) -> _Part:
        """The longest beginning that has the SHA-256 which the journal says, after hashing it anew."""
        size, sha256 = await _finished(_longest_proved, descriptor, known)
        return cls(descriptor, size, sha256)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def append(self, chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:
            left = left[os.write(self._descriptor, left) :]
        self._sha256.update(chunk)
        self.size += len(chunk)


def _longest_proved(descriptor: int, known: dict[int, str]) -> tuple[int, _Hash]:
    best = (0, hashlib.sha256())
    sha256, position = hashlib.sha256(), 0
    for size in sorted(known):
        while position < size and (chunk := os.pread(descriptor, min(CHUNK_BYTES, size - position), position)):
            sha256.update(chunk)
            position += len(chunk)
        if position != size or sha256.hexdigest() != known[size]:
            break
        best = (size, sha256.copy())
    return best
