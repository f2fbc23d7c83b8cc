"""Bundles of measured versions, made in the process of the test. Import it when Django is set up."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from asgiref.sync import async_to_sync
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from mop.registry.models import Revision
from mop.releases.bundles.archive import END, Entry, header, padding
from mop.releases.bundles.delivery import open_bundle
from mop.releases.bundles.making import MadeBundle, make_bundle
from mop.releases.bundles.manifest import SIGNATURE, BundleManifest
from mop.releases.bundles.models import Bundle
from mop.releases.bundles.services import begin_version_bundle, finish, source_of
from mop.storage import model_signature
from mop.storage.artifact_store import ArtifactStore
from mop.storage.manifest import Manifest, ManifestFile
from mop.storage.signing_keys import SigningKeys
from support.factories import ACTOR, make_user, put
from support.released import CONDITIONS, evidence_version

FILES = {
    "src/inference.py": b"class Model: ...\n",
    "src/settings.yml": b"env:\n  python: 3.11\n",
    "src/.gitattributes": b"*.bin lfs\n",
    "model/weights-\u00e4.bin": bytes(range(256)) * 40,
    f"model/{'deep/' * 30}file.txt": b"",
    "privatepkgs/fast-1.0-py3-none-any.whl": b"wheel",
}


def new_key() -> ec.EllipticCurvePrivateKey:
    """A new signing key."""
    return ec.generate_private_key(ec.SECP256R1())


def keys_of(key: ec.EllipticCurvePrivateKey) -> SigningKeys:
    """Keys of an installation that has this one."""
    return SigningKeys(key, (key.public_key(),))


def public_pem(folder: Path, key: ec.EllipticCurvePrivateKey, name: str = "key.pem") -> Path:
    """The public key as a file."""
    path = folder / name
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def store() -> ArtifactStore:
    """The artifact store of the installation under test."""
    return ArtifactStore.local(settings.MOP_HOME / "artifacts")


def keep_artifact(files: dict[str, bytes] | None = None) -> str:
    """Put a model's folder into the store; gives its digest."""
    return async_to_sync(_keep)(FILES if files is None else files)


async def _keep(files: dict[str, bytes]) -> str:
    into, found = store(), []
    for path, content in files.items():

        async def chunks(content: bytes = content):
            yield content

        blob = await into.put_file(chunks())
        found.append(ManifestFile(path, blob.size, blob.sha256))
    return await into.put_manifest(Manifest.of(found))


def measured_version(**given: object) -> Revision:
    """A measured version whose artifact is in the store, with conditions of its tasks."""
    from mop.releases.services import change_gate  # noqa: PLC0415 - reads settings

    revision = evidence_version(**given)
    digest = keep_artifact()
    put(Revision.objects.filter(pk=revision.pk), artifact_digest=digest, environment_key="ab" * 32)
    revision.evaluations.update(artifact_digest=digest)
    for connection in revision.model.connections.select_related("task"):
        change_gate(actor=ACTOR, owner=connection.task, conditions=CONDITIONS)
    revision.refresh_from_db()
    return revision


def begun(revision: Revision) -> Bundle:
    """A bundle that an administrator asked for."""
    return begin_version_bundle(actor=ACTOR, user=make_user(is_administrator=True), revision=revision)


def make(bundle: Bundle, key: ec.EllipticCurvePrivateKey) -> MadeBundle:
    """Make it as the worker does."""
    made = async_to_sync(make_bundle)(source_of(bundle.pk, bundle.attempt), store=store(), keys=keys_of(key))
    finish(bundle.pk, bundle.attempt, made)
    bundle.refresh_from_db()
    return made


def content_of(bundle: Bundle) -> bytes:
    """The whole file."""
    with open_bundle(bundle) as file:
        return b"".join(file.chunks(0, file.size))


def parts_in(content: bytes) -> dict[str, bytes]:
    """Path and content of everything in a bundle, in its order."""
    from mop.releases.bundles.archive import ArchiveReader  # noqa: PLC0415 - beside its use

    reader, found = ArchiveReader(io.BytesIO(content)), {}
    while entry := reader.next():
        found[entry.path] = b"".join(reader.chunks())
    return found


def archive(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """An archive of these files in this order, as bundles write them."""
    whole = b"".join(header(Entry(path, len(content))) + content + padding(len(content)) for path, content in entries)
    return whole + END


def resigned(parts: dict[str, bytes], key: ec.EllipticCurvePrivateKey, subject: str = "") -> bytes:
    """The bundle of these parts with a manifest and a signature that fit them."""
    import hashlib  # noqa: PLC0415 - beside its use

    def file(path: str, content: bytes) -> ManifestFile:
        return ManifestFile(path, len(content), hashlib.sha256(content).hexdigest())

    old = BundleManifest.from_json(parts["manifest.json"])
    rest = {path: content for path, content in parts.items() if path not in (SIGNATURE, "manifest.json")}
    files = tuple(file(path, content) for path, content in sorted(rest.items()))
    manifest = BundleManifest(**{**old.__dict__, "parts": files})
    first = manifest.to_json()
    statement = model_signature.statement(subject or manifest.subject, (file("manifest.json", first), *files))
    signature = model_signature.sign(statement, model_signature.STATEMENT, key)
    return archive([(SIGNATURE, signature), ("manifest.json", first), *sorted(rest.items())])
