"""Making a bundle: every part into the artifact store, signed, read back and verified."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from mop import failpoints
from mop.errors import ArtifactDamagedError, SigningKeyError
from mop.releases.bundles.archive import BundleError
from mop.releases.bundles.collecting import with_requirements
from mop.releases.bundles.file import BundleFile
from mop.releases.bundles.keys import NO_KEY, NO_KEY_HINT
from mop.releases.bundles.manifest import ARTIFACT, MANIFEST, SIGNATURE, BundleManifest, ReleaseNamed, parts_of
from mop.releases.bundles.verification import Verified, verify
from mop.storage import model_signature
from mop.storage.artifact_store import ArtifactStore
from mop.storage.manifest import Manifest, ManifestFile
from mop.storage.model_signature import key_hint
from mop.storage.signing_keys import SigningKeys


@dataclass(frozen=True)
class BundleSource:
    """What a bundle is made of, detached from the database."""

    model: str
    version: str
    revision_id: str
    artifact_digest: str
    environment_key: str
    made_by: str
    documents: Mapping[str, str]
    release: ReleaseNamed | None


@dataclass(frozen=True)
class MadeBundle:
    """A made bundle: where its parts lie, and what its file is."""

    digest: str
    sha256: str
    size: int
    key: str


async def make_bundle(source: BundleSource, *, store: ArtifactStore, keys: SigningKeys) -> MadeBundle:
    """Make a bundle; the same source and key give the same bytes.

    Raises:
        SigningKeyError: there is no private key.
        ArtifactDamagedError: a file of the artifact is missing or damaged, or the made bundle does not verify.
        DiskFullError, StorageUnavailableError: the store takes nothing.
    """
    if keys.private is None:
        raise SigningKeyError(NO_KEY, hint=NO_KEY_HINT)
    artifact = await store.get_manifest(source.artifact_digest)
    parts = [ManifestFile(f"{ARTIFACT}{file.path}", file.size, file.sha256) for file in artifact.files]
    for file in artifact.files:
        store.renew(file.sha256)
    for path, text in with_requirements(source.documents, artifact).items():
        parts.append(await _kept(store, path, text.encode()))
    try:
        manifest = _manifest(source, parts)
    except BundleError as error:
        message = f"The bundle of {source.model} {source.version} cannot be made: {error}."
        raise ArtifactDamagedError(message) from error
    first = await _kept(store, MANIFEST, manifest.to_json())
    statement = model_signature.statement(manifest.subject, (first, *manifest.parts))
    signature = model_signature.sign(statement, model_signature.STATEMENT, keys.private)
    failpoints.hit("bundle signed")
    whole = Manifest.of((await _kept(store, SIGNATURE, signature), first, *manifest.parts))
    digest = await store.put_manifest(whole)
    found = await asyncio.to_thread(_read_back, store, whole, keys)
    return MadeBundle(digest, found.sha256, found.size, key_hint(keys.private.public_key()))


def _manifest(source: BundleSource, parts: list[ManifestFile]) -> BundleManifest:
    return BundleManifest(
        model=source.model,
        version=source.version,
        revision_id=source.revision_id,
        artifact_digest=source.artifact_digest,
        environment_key=source.environment_key,
        made_by=source.made_by,
        parts=parts_of(parts),
        release=source.release,
    )


def _read_back(store: ArtifactStore, whole: Manifest, keys: SigningKeys) -> Verified:
    """Read the file as a service will: no bundle leaves that its reader would refuse."""
    with BundleFile(store, whole) as file:
        found = verify(file, keys.public[:1], total=file.size)
    if not found.holds:
        faults = "; ".join(f"{check.name}: {check.detail}" for check in found.checks if not check.holds)
        raise ArtifactDamagedError(
            f"The bundle does not verify. {faults}",
            hint="Make it again with `mop bundle make`. If it lasts, the operator must check the artifact store.",
        )
    return found


async def _kept(store: ArtifactStore, path: str, content: bytes) -> ManifestFile:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    blob = await store.put_file(chunks())
    return ManifestFile(path, blob.size, blob.sha256)
