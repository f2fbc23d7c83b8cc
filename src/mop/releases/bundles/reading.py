"""A bundle read once from its beginning: the signature first, and nothing else before it holds.

    read_bundle(file, keys, total=size)  ->  OpenBundle: every part has the digest that was signed

Documents are kept in memory, the artifact's files are hashed and dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mop.file_names import name_fault, quoted
from mop.releases.bundles.archive import ArchiveReader, BundleError, Entry, Readable, length
from mop.releases.bundles.manifest import (
    ARTIFACT,
    MANIFEST,
    MANIFEST_BYTES_MAX,
    SIGNATURE,
    SIGNATURE_BYTES_MAX,
    BundleManifest,
)
from mop.storage.manifest import ManifestFile
from mop.storage.model_signature import BadSignatureError, SignedFiles, key_hint, verify_files

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

DOCUMENT_BYTES_MAX = 64 << 20

Told = Callable[[int], None]
"""Takes the number of bytes that were read since it was last called."""


@dataclass(frozen=True)
class OpenBundle:
    """A bundle whose signature and digests hold.

    Attributes:
        documents: the content of every part outside `artifact/`, by path.
        key: the hint of the key that signed it.
        sha256: of the whole file.
        size: of the whole file, in bytes.
    """

    manifest: BundleManifest
    documents: Mapping[str, bytes]
    key: str
    sha256: str
    size: int


def read_bundle(
    file: Readable, keys: Sequence[ec.EllipticCurvePublicKey], *, total: int | None = None, told: Told | None = None
) -> OpenBundle:
    """Read a bundle to its end and prove that it is, byte for byte, what one of these keys signed.

    Args:
        file: at its beginning.
        keys: that the reader accepts, from elsewhere: no key in a bundle is looked at.
        total: the file's size, so that one that is too short or too long is refused before its parts are read.
        told: hears how far it is.

    Raises:
        BundleError: it is not.
    """
    hashed = _Hashed(file, told)
    reader = ArchiveReader(hashed)
    signature = _document(reader, reader.next(), SIGNATURE, SIGNATURE_BYTES_MAX)
    key, signed = _verified(signature, keys)
    content = _document(reader, reader.next(), MANIFEST, MANIFEST_BYTES_MAX)
    if hashlib.sha256(content).hexdigest() != signed.files.get(MANIFEST):
        raise BundleError("the manifest is not the one that was signed")
    manifest = BundleManifest.from_json(content)
    _check_signed(manifest, signed)
    if total is not None and (expected := _length(manifest, len(signature), len(content))) != total:
        raise BundleError(f"the file has {total:,} bytes; its manifest asks for {expected:,}")
    documents: dict[str, bytes] = {}
    for part in manifest.parts:
        documents |= _read_part(reader, part)
    _check_end(reader, {part.path for part in manifest.parts})
    return OpenBundle(manifest, documents, key, hashed.sha256.hexdigest(), hashed.size)


def _verified(signature: bytes, keys: Sequence[ec.EllipticCurvePublicKey]) -> tuple[str, SignedFiles]:
    """The key that made the signature, and what it signed."""
    error = BadSignatureError("no accepted key has made it, or it was changed")
    for key in keys:
        try:
            return key_hint(key), verify_files(signature, [key])
        except BadSignatureError as refused:
            error = refused
    raise BundleError(f"the signature does not hold: {error}")


def _check_signed(manifest: BundleManifest, signed: SignedFiles) -> None:
    if signed.name != manifest.subject:
        # the installation signs snapshots of strangers' folders with the same key
        raise BundleError(f"what was signed is called {quoted(signed.name)}, and not {quoted(manifest.subject)}")
    parts = {part.path: part.sha256 for part in manifest.parts}
    if {path: sha256 for path, sha256 in signed.files.items() if path != MANIFEST} != parts:
        raise BundleError("the manifest names other parts than were signed")


def _read_part(reader: ArchiveReader, part: ManifestFile) -> dict[str, bytes]:
    _expect(reader.next(), part.path, part.size)
    is_kept = not part.path.startswith(ARTIFACT)
    if is_kept and part.size > DOCUMENT_BYTES_MAX:
        raise BundleError(f"{quoted(part.path)} has {part.size:,} bytes; a document has {DOCUMENT_BYTES_MAX:,} at most")
    found, kept = hashlib.sha256(), []
    for chunk in reader.chunks():
        found.update(chunk)
        if is_kept:
            kept.append(chunk)
    if found.hexdigest() != part.sha256:
        raise BundleError(f"{quoted(part.path)} is not what was signed")
    return {part.path: b"".join(kept)} if is_kept else {}


def _document(reader: ArchiveReader, entry: Entry | None, path: str, most: int) -> bytes:
    _expect(entry, path)
    if entry is not None and entry.size > most:
        raise BundleError(f"{path} has {entry.size:,} bytes; {most:,} are allowed")
    return b"".join(reader.chunks())


def _expect(entry: Entry | None, path: str, size: int | None = None) -> None:
    if entry is None:
        raise BundleError(f"{quoted(path)} is missing")
    if entry.path != path:
        fault = name_fault(entry.path)
        raise BundleError(
            f"{quoted(entry.path)} is not allowed: {fault}"
            if fault
            else f"{quoted(entry.path)} stands where {quoted(path)} is expected"
        )
    if size is not None and entry.size != size:
        raise BundleError(f"{quoted(path)} has {entry.size:,} bytes; {size:,} were signed")


def _check_end(reader: ArchiveReader, known: set[str]) -> None:
    further = reader.next()
    if further is None:
        return
    if fault := name_fault(further.path):
        raise BundleError(f"{quoted(further.path)} is not allowed: {fault}")
    what = "stands twice" if further.path in known | {SIGNATURE, MANIFEST} else "was not signed"
    raise BundleError(f"{quoted(further.path)} {what}")


def _length(manifest: BundleManifest, signature: int, content: int) -> int:
    first = (Entry(SIGNATURE, signature), Entry(MANIFEST, content))
    return sum(map(length, (*first, *(Entry(part.path, part.size) for part in manifest.parts)))) + 1024


class _Hashed:
    """A file that is hashed as it is read."""

    def __init__(self, file: Readable, told: Told | None) -> None:
        self._file = file
        self._told = told
        self.sha256 = hashlib.sha256()
        self.size = 0

    def read(self, count: int) -> bytes:
        """The next bytes."""
        found = self._file.read(count)
        self.sha256.update(found)
        self.size += len(found)
        if self._told:
            self._told(len(found))
        return found
