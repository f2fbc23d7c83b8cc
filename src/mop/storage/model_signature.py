"""OpenSSF model signatures: a manifest as an in-toto statement, in a DSSE envelope, in a sigstore bundle.

Keys are elliptic. The format is that of model-signing 1.x, whose `model_signing verify key` takes these bundles.
https://github.com/ossf/model-signing-spec, https://github.com/secure-systems-lab/dsse,
https://github.com/sigstore/protobuf-specs (bundle v0.3)
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mop.deferred import deferred
from mop.storage.manifest import Manifest, ManifestFile

if TYPE_CHECKING:
    from cryptography import exceptions
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
else:
    exceptions = deferred("cryptography.exceptions")
    hashes = deferred("cryptography.hazmat.primitives.hashes")
    serialization = deferred("cryptography.hazmat.primitives.serialization")
    ec = deferred("cryptography.hazmat.primitives.asymmetric.ec")

STATEMENT = "application/vnd.in-toto+json"
_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_SERIALIZATION = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}


class BadSignatureError(ValueError):
    """A bundle is malformed, signed by no accepted key, or of something else; the text says which."""


def statement_of(manifest: Manifest) -> bytes:
    """What is signed of a snapshot: its files, under the manifest's digest."""
    return statement(manifest.digest, manifest.files)


def statement(name: str, files: Iterable[ManifestFile]) -> bytes:
    """What is signed of a folder: the path and SHA-256 of each file, and what the folder is called."""
    ordered = sorted(files, key=lambda file: PurePosixPath(file.path))
    root = hashlib.sha256(b"".join(bytes.fromhex(file.sha256) for file in ordered)).hexdigest()
    document = {
        "_type": _STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": root}}],
        "predicateType": _PREDICATE_TYPE,
        "predicate": {
            "serialization": _SERIALIZATION,
            "resources": [{"name": file.path, "algorithm": "sha256", "digest": file.sha256} for file in ordered],
        },
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def curves() -> tuple[type[ec.EllipticCurve], ...]:
    """The curves that the format knows."""
    return (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def _hash_for(curve: ec.EllipticCurve) -> hashes.HashAlgorithm:
    found: dict[int, type[hashes.HashAlgorithm]] = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}
    return found[curve.key_size]()


def sign(payload: bytes, payload_type: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The bundle, JSON: the same for the same payload and key, as RFC 6979 has it."""
    algorithm = ec.ECDSA(_hash_for(key.curve), deterministic_signing=True)
    signature = key.sign(_pae(payload, payload_type), algorithm)
    bundle = {
        "mediaType": _MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key_hint(key.public_key())}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }
    return json.dumps(bundle).encode()


def verify(bundle: bytes, payload_type: str, keys: Sequence[ec.EllipticCurvePublicKey]) -> bytes:
    """The payload, whose signature is by one of these keys.

    Raises:
        BadSignatureError: it is not.
    """
    payload, found_type, signature = _read(bundle)
    if found_type != payload_type:
        raise BadSignatureError("it is the signature of something else")
    for key in keys:
        try:
            key.verify(signature, _pae(payload, payload_type), _algorithm(key))
        except exceptions.InvalidSignature:
            continue
        return payload
    raise BadSignatureError("no accepted key has made it, or it was changed")


def verify_manifest(bundle: bytes, manifest: Manifest, keys: Sequence[ec.EllipticCurvePublicKey]) -> None:
    """Prove that a bundle signs exactly this manifest.

    Raises:
        BadSignatureError: it does not.
    """
    if verify_files(bundle, keys).files != {file.path: file.sha256 for file in manifest.files}:
        raise BadSignatureError("it signs other files")


@dataclass(frozen=True)
class SignedFiles:
    """What a key signed: the SHA-256 of each file by its path, and what the folder is called."""

    name: str
    files: Mapping[str, str]


def verify_files(bundle: bytes, keys: Sequence[ec.EllipticCurvePublicKey]) -> SignedFiles:
    """The files that a bundle signs, whose signature is by one of these keys.

    Raises:
        BadSignatureError: it is by none of them, or signs no files.
    """
    payload = verify(bundle, STATEMENT, keys)
    try:
        document = json.loads(payload)
        predicate = document["predicate"]
        kind = (document["_type"], document["predicateType"], predicate["serialization"]["method"])
        files = {one["name"]: _sha256_of(one) for one in predicate["resources"]}
        count = len(predicate["resources"])
        (subject,) = document["subject"]
        name = str(subject["name"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadSignatureError("what it signs cannot be read") from error
    if kind != (_STATEMENT_TYPE, _PREDICATE_TYPE, _SERIALIZATION["method"]):
        raise BadSignatureError("it is no signature of a model's files")
    if count != len(files):
        raise BadSignatureError("it signs a file twice")
    return SignedFiles(name, files)


def _sha256_of(resource: Mapping[str, str]) -> str:
    if resource["algorithm"] != "sha256":
        raise ValueError("another algorithm")
    return resource["digest"]


def key_hint(key: ec.EllipticCurvePublicKey) -> str:
    """How bundles name a public key: the SHA-256 of its PEM, in hexadecimal."""
    return hashlib.sha256(
        key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def _read(bundle: bytes) -> tuple[bytes, str, bytes]:
    """Payload, its type, and the signature."""
    try:
        document: dict[str, Any] = json.loads(bundle)
        envelope = document["dsseEnvelope"]
        (signature,) = envelope["signatures"]
        media_type, payload_type = document["mediaType"], envelope["payloadType"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        raw = base64.b64decode(signature["sig"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadSignatureError("it is no sigstore bundle") from error
    if media_type != _MEDIA_TYPE:
        raise BadSignatureError("it is no sigstore bundle of the version 0.3")
    return payload, payload_type, raw


def _pae(payload: bytes, payload_type: str) -> bytes:
    """DSSE's pre-authentication encoding: what is in fact signed."""
    return b"DSSEv1 %d %b %d %b" % (len(payload_type.encode()), payload_type.encode(), len(payload), payload)


def _algorithm(key: ec.EllipticCurvePublicKey) -> ec.ECDSA:
    return ec.ECDSA(_hash_for(key.curve))
