"""Signatures of snapshots: made when a snapshot is, and proved before anything of it runs.

signatures/ab/<digest>.json         an OpenSSF model signature of the snapshot's files
signatures/before-signing.json      snapshots that stood here when signing began, itself signed

A snapshot without a signature is refused, but for those that stood before: they are signed when they are next used.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

from mop.errors import ArtifactDamagedError, ArtifactSignatureError
from mop.storage import model_signature
from mop.storage.artifact_store import ArtifactStore
from mop.storage.manifest import Manifest
from mop.storage.materialise import sizes_of
from mop.storage.model_signature import BadSignatureError
from mop.storage.signing_keys import SigningKeys

_UNSIGNED_LIST = "application/vnd.mop.snapshots-before-signing+json"

logger = logging.getLogger(__name__)


class Signatures:
    """Signs and verifies the snapshots of a store."""

    def __init__(self, store: ArtifactStore, keys: SigningKeys) -> None:
        self._store = store
        self._keys = keys

    async def sign(self, digest: str) -> None:
        """Sign a snapshot, unless it has a signature that holds; does nothing where there is no private key.

        Raises:
            ArtifactDamagedError: the manifest is missing or damaged.
            StorageUnavailableError, DiskFullError: the store does not take it.
        """
        if self._keys.private is None:
            return
        await self._begin()
        manifest = await self._store.get_manifest(digest)
        self._store.renew_signature(digest)
        standing = await self._store.get_signature(digest)
        if standing is not None and self._fault(standing, manifest) is None:
            return
        bundle = model_signature.sign(
            model_signature.statement_of(manifest), model_signature.STATEMENT, self._keys.private
        )
        await self._store.put_signature(digest, bundle)

    async def check(self, digest: str, folder: Path, *, log: Callable[[str], None]) -> None:
        """Prove that a materialised folder holds, byte for byte, the snapshot that was signed.

        Args:
            digest: the snapshot's.
            folder: where it was materialised; nobody writes there meanwhile.
            log: takes a line when an older snapshot is signed.

        Raises:
            ArtifactSignatureError: there is no signature, it does not hold, or the folder holds something else.
            ArtifactDamagedError: the manifest is missing or damaged.
        """
        await self._begin()
        manifest = await self._store.get_manifest(digest)
        bundle = await self._store.get_signature(digest)
        if bundle is None and digest not in await self._older():
            raise _refused(digest, "it has no signature")
        if bundle is not None and (fault := self._fault(bundle, manifest)):
            raise _refused(digest, f"its signature does not hold: {fault}")
        await _check_files(manifest, folder)
        if bundle is None:
            await self.sign(digest)
            line = f"snapshot {digest} was made before signing began and is signed now"
            log(line)
            logger.warning(line)

    def _fault(self, bundle: bytes, manifest: Manifest) -> str | None:
        try:
            model_signature.verify_manifest(bundle, manifest, self._keys.public)
        except BadSignatureError as error:
            return str(error)
        return None

    async def _begin(self) -> None:
        """The first time, note the snapshots that stand unsigned: nobody can pass another off as one of them."""
        if self._keys.private is None or await self._store.get_unsigned_list() is not None:
            return
        older = await self._store.manifests()
        payload = json.dumps(sorted(older)).encode()
        if await self._store.put_unsigned_list(model_signature.sign(payload, _UNSIGNED_LIST, self._keys.private)):
            logger.warning("signing begins: %s snapshots that stand already will be signed when used", len(older))

    async def _older(self) -> frozenset[str]:
        """Snapshots that may be without a signature; none where nobody here can sign them."""
        bundle = await self._store.get_unsigned_list()
        if bundle is None or self._keys.private is None:
            return frozenset()
        try:
            payload = model_signature.verify(bundle, _UNSIGNED_LIST, self._keys.public)
        except BadSignatureError as error:
            raise ArtifactSignatureError(
                f"The list of snapshots that are older than signing cannot be trusted: {error}."
            ) from error
        return frozenset(json.loads(payload))


async def _check_files(manifest: Manifest, folder: Path) -> None:
    try:
        sizes = await asyncio.to_thread(sizes_of, folder)
    except ArtifactDamagedError as error:
        raise _refused(manifest.digest, error.message) from error
    if sizes != {file.path: file.size for file in manifest.files}:
        raise _refused(manifest.digest, "its folder on this host holds other files than were signed")
    for file in manifest.files:  # one at a time: a cancelled deployment need not wait for all of them
        if await asyncio.to_thread(_sha256, folder / file.path) != file.sha256:
            raise _refused(manifest.digest, f"{file.path} on this host is not what was signed")


def _sha256(path: Path) -> str:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refused(digest: str, why: str) -> ArtifactSignatureError:
    return ArtifactSignatureError(f"The snapshot {digest} is not run: {why}.")
