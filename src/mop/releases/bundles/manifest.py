"""The manifest of a bundle: what it is of, and the size and SHA-256 of each part."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from mop.errors import ModelStructureError
from mop.file_names import quoted
from mop.releases.bundles.archive import BundleError
from mop.storage.manifest import Manifest, ManifestFile, is_sha256
from mop.storage.names import check_names

KIND, FORMAT = "mop-bundle", 1
SIGNATURE, MANIFEST = "signature.json", "manifest.json"
ARTIFACT = "artifact/"
SIGNATURE_BYTES_MAX = 48 << 20
MANIFEST_BYTES_MAX = 32 << 20


@dataclass(frozen=True)
class ReleaseNamed:
    """The release that a bundle was made for.

    Attributes:
        id: its number on the installation.
        service: the downstream service that takes it.
        taxonomies: for which it is released.
    """

    id: int
    service: str
    taxonomies: tuple[str, ...]


@dataclass(frozen=True)
class BundleManifest:
    """What a bundle is of, and its parts.

    Attributes:
        artifact_digest: of the snapshot of the model's folder, whose files stand below `artifact/`.
        environment_key: of the environment that was measured; empty where none was built.
        release: None for a bundle that an administrator asked for.
        made_by: the version of MOP.
        parts: every file but this one and the signature, by path.
    """

    model: str
    version: str
    revision_id: str
    artifact_digest: str
    environment_key: str
    made_by: str
    parts: tuple[ManifestFile, ...]
    release: ReleaseNamed | None = None

    @property
    def subject(self) -> str:
        """What the signature calls the bundle. No snapshot is called so: its signature never passes for a bundle's."""
        return f"{KIND}:{FORMAT}:{self.model}:{self.version}"

    @property
    def artifact(self) -> Manifest:
        """The snapshot that the parts below `artifact/` make."""
        return Manifest.of(
            ManifestFile(part.path.removeprefix(ARTIFACT), part.size, part.sha256)
            for part in self.parts
            if part.path.startswith(ARTIFACT)
        )

    def to_json(self) -> bytes:
        """The canonical form: UTF-8, sorted keys and parts, no spaces."""
        document = {
            "kind": KIND,
            "format": FORMAT,
            "model": self.model,
            "version": self.version,
            "revision_id": self.revision_id,
            "artifact_digest": self.artifact_digest,
            "environment_key": self.environment_key,
            "release": None if self.release is None else asdict(self.release),
            "made_by": self.made_by,
            "parts": [asdict(part) for part in self.parts],
        }
        return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> BundleManifest:
        """Read a canonical manifest.

        Raises:
            BundleError: it is none, or names parts that no bundle has.
        """
        try:
            document = json.loads(data)
            kind = (document["kind"], document["format"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BundleError("the manifest cannot be read") from error
        if kind != (KIND, FORMAT):
            raise BundleError(f"the manifest is of the format {kind[1]!r}; this version of MOP reads {FORMAT}")
        try:
            manifest = cls(
                model=document["model"],
                version=document["version"],
                revision_id=document["revision_id"],
                artifact_digest=document["artifact_digest"],
                environment_key=document["environment_key"],
                made_by=document["made_by"],
                parts=parts_of(_part(row) for row in document["parts"]),
                release=_release(document["release"]),
            )
            is_canonical = manifest.to_json() == data
        except (KeyError, TypeError, AttributeError, UnicodeError) as error:
            raise BundleError("the manifest is malformed") from error
        if not is_canonical:
            raise BundleError("the manifest is not in canonical form")
        return manifest


def parts_of(files: Iterable[ManifestFile]) -> tuple[ManifestFile, ...]:
    """Parts in their order, whose names fit a bundle.

    Raises:
        BundleError: a name reaches outside, stands twice, or belongs to the bundle itself.
    """
    parts = tuple(sorted(files, key=lambda part: part.path))
    names = [part.path for part in parts]
    if taken := {SIGNATURE, MANIFEST} & set(names):
        raise BundleError(f"no part may be called {quoted(min(taken))}")
    try:
        check_names(names)
    except ModelStructureError as error:
        raise BundleError(error.message.replace("The model folder", "The bundle").rstrip(".")) from error
    return parts


def _part(row: dict[str, Any]) -> ManifestFile:
    path, size, sha256 = row["path"], row["size"], row["sha256"]
    if not isinstance(path, str) or not isinstance(sha256, str) or not is_sha256(sha256):
        raise BundleError("the manifest has a malformed path or digest")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise BundleError("the manifest has a malformed size")
    return ManifestFile(path, size, sha256)


def _release(row: dict[str, Any] | None) -> ReleaseNamed | None:
    if row is None:
        return None
    return ReleaseNamed(row["id"], row["service"], tuple(row["taxonomies"]))
