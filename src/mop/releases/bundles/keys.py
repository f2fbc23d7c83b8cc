"""The key of an installation that signs bundles and snapshots: made by its operator, named by MOP_SIGNING_KEY."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mop.deferred import deferred

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
else:
    serialization = deferred("cryptography.hazmat.primitives.serialization")
    ec = deferred("cryptography.hazmat.primitives.asymmetric.ec")


NO_KEY = "This installation has no signing key, so it makes no bundles."
NO_KEY_HINT = "The operator makes one with `mop bundle new-key FILE` and sets MOP_SIGNING_KEY to it."


@dataclass(frozen=True)
class MadeKey:
    """A new key: its public part, and the file that holds that."""

    public: ec.EllipticCurvePublicKey
    public_file: Path


def make_key(file: Path) -> MadeKey:
    """Write a new private key on P-256, readable by this user alone, and its public key beside it.

    Raises:
        FileExistsError: something stands at one of the two places.
        OSError: a file cannot be written.
    """
    public_file = file.with_name(f"{file.name}.pub")
    if public_file.exists():
        raise FileExistsError(0, "it is there already", str(public_file))
    key = ec.generate_private_key(ec.SECP256R1())
    _write(
        file,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        mode=0o600,
    )
    _write(public_file, public_pem(key.public_key()).encode(), mode=0o644)
    return MadeKey(key.public_key(), public_file)


def public_pem(key: ec.EllipticCurvePublicKey) -> str:
    """A public key as its holders pass it on."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _write(path: Path, content: bytes, *, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
