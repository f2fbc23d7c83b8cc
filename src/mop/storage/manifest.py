"""The manifest: what a snapshot holds, and the digest that names it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from mop.storage.names import check_names

FORMAT = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ManifestFile:
    """One file of a snapshot: its path in the folder, its size in bytes, its SHA-256 in hexadecimal."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The files of a snapshot, sorted by path; equal folders have equal manifests, whatever the listing's order."""

    files: tuple[ManifestFile, ...]

    @classmethod
    def of(cls, files: Iterable[ManifestFile]) -> Manifest:
        """The manifest of these files, in any order."""
        return cls(tuple(sorted(files, key=lambda file: file.path)))

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the canonical JSON form, in hexadecimal."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @property
    def total_bytes(self) -> int:
        """The size of all files together."""
        return sum(file.size for file in self.files)

    def to_json(self) -> bytes:
        """The canonical form: UTF-8, sorted keys and files, no spaces."""
        rows = [{"path": file.path, "sha256": file.sha256, "size": file.size} for file in self.files]
        document = {"files": rows, "format": FORMAT}
        return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Read a canonical manifest.

        Raises:
            ValueError: the bytes are not the canonical form of a manifest.
            ModelStructureError: a name in it breaks a rule.
        """
        document = json.loads(data)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ValueError("the manifest has an unknown format")
        try:
            manifest = cls.of(_read_file(row) for row in document["files"])
        except (KeyError, TypeError) as error:
            raise ValueError("the manifest has a malformed file entry") from error
        if manifest.to_json() != data:
            raise ValueError("the manifest is not in canonical form")
        check_names([file.path for file in manifest.files])
        return manifest


def is_sha256(text: str) -> bool:
    """Whether the text is a SHA-256 in lower-case hexadecimal."""
    return _SHA256.fullmatch(text) is not None


def _read_file(row: dict[str, object]) -> ManifestFile:
    path, size, sha256 = row["path"], row["size"], row["sha256"]
    if not isinstance(path, str) or not isinstance(sha256, str) or not is_sha256(sha256):
        raise ValueError("the manifest has a malformed path or digest")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError("the manifest has a malformed size")
    return ManifestFile(path=path, size=size, sha256=sha256)
