"""The artifact store: MOP's own content-addressed copy of every snapshot.

blobs/ab/cd/<sha256>               file contents, each stored once
manifests/ab/<digest>.json         what a snapshot holds
incoming/<random>, part-<hash>     being written; renamed when the SHA-256 is known
signatures/ab/<digest>.json        the snapshot's signature, where signing is on (signatures.py)
journals/<hash>.jsonl              how far a snapshot is that was killed (journal.py)
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mop import failpoints
from mop.deferred import deferred
from mop.errors import ArtifactDamagedError, DiskFullError, MopError, StorageUnavailableError
from mop.storage.manifest import Manifest, is_sha256

if TYPE_CHECKING:
    import obstore
    from obstore import exceptions
    from obstore import store as stores
else:
    obstore = deferred("obstore")
    exceptions = deferred("obstore.exceptions")
    stores = deferred("obstore.store")

CHUNK_BYTES = 1 << 20
SIGNATURE_BYTES_MAX = 64 << 20
_INCOMING = "incoming"
_MANIFESTS, _SIGNATURES = "manifests", "signatures"
_UNSIGNED_LIST = f"{_SIGNATURES}/before-signing.json"
_ABANDONED_AFTER_S = 24 * 3600
_NO_SPACE = ("os error 28", "os error 122")  # ENOSPC, EDQUOT: obstore gives them as text only


@dataclass(frozen=True)
class StoredBlob:
    """What `ArtifactStore.put_file` stored."""

    sha256: str
    size: int


class ArtifactStore:
    """A content-addressed store over obstore. Safe for any number of writers: equal names hold equal bytes."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    @cached_property
    def _store(self) -> stores.ObjectStore:
        return stores.LocalStore(prefix=self.folder)

    @classmethod
    def local(cls, folder: Path) -> ArtifactStore:
        """A store in a local folder, made when missing (0700: artifacts may be private)."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise store_fault(error) from error
        _sweep_incoming(folder / _INCOMING)
        return cls(folder)

    async def put_file(self, chunks: AsyncIterator[bytes]) -> StoredBlob:
        """Store the bytes under their SHA-256, in the place of a blob that may stand there: it may be damaged.

        Raises:
            DiskFullError: the store has no room.
            StorageUnavailableError: the store does not answer.
        """
        key = f"{_INCOMING}/{uuid.uuid4().hex}"
        sha256, size = hashlib.sha256(), 0
        try:
            async with obstore.open_writer_async(
                self._store, key, buffer_size=4 * CHUNK_BYTES, max_concurrency=2
            ) as writer:
                async for chunk in chunks:
                    sha256.update(chunk)
                    size += len(chunk)
                    await writer.write(chunk)
            blob = StoredBlob(sha256=sha256.hexdigest(), size=size)
            await self._settle(key, blob)
        except BaseException as error:
            await self._discard(key)
            if isinstance(error, OSError | exceptions.BaseError):
                raise store_fault(error) from error
            raise
        return blob

    def incoming(self, name: str) -> Path:
        """Where a file of this name is received, for `adopt`; only a local store has such a place."""
        if self.folder is None:
            raise ValueError("only a local store receives files by itself")
        path = self.folder / _INCOMING / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return path

    async def adopt(self, name: str, blob: StoredBlob) -> None:
        """Take in a file that was received whole at `incoming(name)`."""
        try:
            await self._settle(f"{_INCOMING}/{name}", blob)
        except (OSError, exceptions.BaseError) as error:
            raise store_fault(error) from error

    async def _settle(self, key: str, blob: StoredBlob) -> None:
        """Give what was received its name."""
        failpoints.hit("before snapshot file")
        await obstore.rename_async(self._store, key, _blob_key(blob.sha256))
        failpoints.hit("after snapshot file")

    async def is_whole(self, blob: StoredBlob) -> bool:
        """Whether the blob is stored and has its SHA-256, by reading it."""
        self.renew(blob.sha256)
        if not await self.exists(blob.sha256, size=blob.size):
            return False
        found = hashlib.sha256()
        async for chunk in self.get(blob.sha256):
            await asyncio.to_thread(found.update, chunk)
        return found.hexdigest() == blob.sha256

    async def exists(self, sha256: str, *, size: int | None = None) -> bool:
        """Whether the blob is stored (with this size, so that one cut short by a power loss is written again)."""
        try:
            found = await obstore.head_async(self._store, _blob_key(sha256))
        except FileNotFoundError:
            return False
        except (OSError, exceptions.BaseError) as error:
            raise store_fault(error) from error
        return size is None or found["size"] == size

    def path_of(self, sha256: str) -> Path | None:
        """Where a blob of a local store lies, for a reader in the cage; None if the store is not local."""
        return None if self.folder is None else self.folder / _blob_key(sha256)

    def renew(self, sha256: str) -> None:
        """Make a blob that a snapshot counts on as young as one that it wrote: garbage collection leaves it alone.

        Call it before asking whether the blob exists.
        """
        if self.folder is not None:
            with suppress(FileNotFoundError):
                os.utime(self.folder / _blob_key(sha256))

    async def get(self, sha256: str) -> AsyncGenerator[bytes, None]:
        """The blob's bytes; the reader verifies the SHA-256.

        Raises:
            ArtifactDamagedError: the blob is missing.
        """
        try:
            result = await obstore.get_async(self._store, _blob_key(sha256))
            async for chunk in result.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)
        except FileNotFoundError as error:
            raise damaged(f"blob {sha256} is missing") from error
        except (OSError, exceptions.BaseError) as error:
            raise store_fault(error) from error

    async def put_manifest(self, manifest: Manifest) -> str:
        """Store the manifest under its digest, and give the digest."""
        try:
            await obstore.put_async(self._store, _manifest_key(manifest.digest), manifest.to_json())
        except (OSError, exceptions.BaseError) as error:
            raise store_fault(error) from error
        return manifest.digest

    async def get_manifest(self, digest: str) -> Manifest:
        """The manifest with this digest, verified.

        Raises:
            ArtifactDamagedError: it is missing or damaged.
        """
        try:
            result = await obstore.get_async(self._store, _manifest_key(digest))
            data = bytes(await result.bytes_async())
        except FileNotFoundError as error:
            raise damaged(f"manifest {digest} is missing") from error
        except (OSError, exceptions.BaseError) as error:
            raise store_fault(error) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise damaged(f"manifest {digest} does not match its digest")
        try:
            return Manifest.from_json(data)
        except (ValueError, MopError) as error:
            raise damaged(f"manifest {digest} cannot be read: {error}") from error

    # Signatures --------------------------------------------------------------------------------------------

    async def put_signature(self, digest: str, bundle: bytes) -> None:
        """Store the signature of a snapshot, in the place of one that may stand there."""
        try:
            await obstore.put_async(self._store, _signature_key(digest), bundle)
        except (OSError, exceptions.BaseError) as error:
            raise store_fault(error) from error

    async def get_signature(self, digest: str) -> bytes | None:
        """The signature of a snapshot, as it stands there; None when there is none."""
        return await self._read(_signature_key(digest))

    def renew_signature(self, digest: str) -> None:
        """`renew` for the signature of a snapshot."""
        if self.folder is not None:
            with suppress(FileNotFoundError):
                os.utime(self.folder / _signature_key(digest))

    async def put_unsigned_list(self, content: bytes) -> bool:
        """Store the list of snapshots that stood here before signing began; False when there is one."""
        try:
            await obstore.put_async(self._store, _UNSIGNED_LIST, content, mode="create")
        except exceptions.AlreadyExistsError:
            return False
        except (OSError, exceptions.BaseError) as error:
            raise store_fault(error) from error
        return True

    async def get_unsigned_list(self) -> bytes | None:
        """That list; None when there is none."""
        return await self._read(_UNSIGNED_LIST)

    async def manifests(self) -> list[str]:
        names: list[str] = []
        try:
            async for page in obstore.list(self._store, prefix=_MANIFESTS):
                names += [one["path"].rpartition("/")[2].removesuffix(".json") for one in page]
        except (OSError, exceptions.BaseError) as error:
            raise store_fault(error) from error
        return [name for name in names if is_sha256(name)]

    async def _read(self, key: str) -> bytes | None:
        try:
            result = await obstore.get_async(self._store, key)
            if result.meta["size"] > SIGNATURE_BYTES_MAX:
                raise damaged(f"{key} is longer than any signature")
            return bytes(await result.bytes_async())
        except FileNotFoundError:
            return None
        except (OSError, exceptions.BaseError) as error:
            raise store_fault(error) from error

    async def _discard(self, key: str) -> None:
        # the sweep takes what is left; the first error is the one to tell
        with suppress(OSError, exceptions.BaseError):
            await obstore.delete_async(self._store, key)


def damaged(what: str) -> ArtifactDamagedError:
    """The error for an artifact store that lost or changed what it held."""
    return ArtifactDamagedError(f"The artifact store is damaged: {what}.")


def _blob_key(sha256: str) -> str:
    if not is_sha256(sha256):
        raise ValueError(f"not a SHA-256: {sha256!r}")
    return f"blobs/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _manifest_key(digest: str) -> str:
    if not is_sha256(digest):
        raise ValueError(f"not a SHA-256: {digest!r}")
    return f"{_MANIFESTS}/{digest[:2]}/{digest}.json"


def _signature_key(digest: str) -> str:
    if not is_sha256(digest):
        raise ValueError(f"not a SHA-256: {digest!r}")
    return f"{_SIGNATURES}/{digest[:2]}/{digest}.json"


def store_fault(error: Exception) -> MopError:
    """The catalogue's error for a store that failed."""
    text = str(error).partition("\n")[0]
    if any(mark in text for mark in _NO_SPACE) or getattr(error, "errno", None) in {28, 122}:
        return DiskFullError(f"The artifact store has no room left: {text}")
    return StorageUnavailableError(
        f"The artifact store does not answer: {text}",
        hint="MOP tries again by itself. If it lasts, the operator must check the artifact store.",
    )


def _sweep_incoming(folder: Path) -> None:
    """Remove what killed writers left behind, long after anyone can still be writing it."""
    if not folder.is_dir():
        return
    oldest = time.time() - _ABANDONED_AFTER_S
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
