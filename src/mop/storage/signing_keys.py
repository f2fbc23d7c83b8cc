"""The keys that sign snapshots, and those whose signatures are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mop.deferred import deferred
from mop.errors import SigningKeyError
from mop.storage.model_signature import curves

if TYPE_CHECKING:
    from cryptography import exceptions
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
else:
    exceptions = deferred("cryptography.exceptions")
    serialization = deferred("cryptography.hazmat.primitives.serialization")
    ec = deferred("cryptography.hazmat.primitives.asymmetric.ec")

_PEM_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class SigningKeys:
    """Keys of one installation.

    Attributes:
        private: signs; None where this host only verifies.
        public: accepted, that of `private` first.
    """

    private: ec.EllipticCurvePrivateKey | None = field(repr=False)
    public: tuple[ec.EllipticCurvePublicKey, ...] = field(repr=False)


def read_signing_keys(private: Path | None, public: Sequence[Path]) -> SigningKeys:
    """Read PEM files: one private key without a password, and further public keys.

    Raises:
        SigningKeyError: one cannot be read, or is no key on P-256, P-384 or P-521. Tells nothing of its content.
    """
    key = _private(private) if private is not None else None
    accepted = [key.public_key()] if key is not None else []
    accepted += [_public(path) for path in public]
    return SigningKeys(key, tuple(accepted))


def _private(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(_content(path), password=None)
    except (OSError, ValueError, TypeError, exceptions.UnsupportedAlgorithm) as error:
        raise _fault(path, "private", error) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, curves()):
        raise _fault(path, "private")
    return key


def _public(path: Path) -> ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_pem_public_key(_content(path))
    except (OSError, ValueError, TypeError, exceptions.UnsupportedAlgorithm) as error:
        raise _fault(path, "public", error) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, curves()):
        raise _fault(path, "public")
    return key


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_PEM_BYTES_MAX)


def _fault(path: Path, kind: str, error: Exception | None = None) -> SigningKeyError:
    # the library's own texts may quote what it was given
    why = f"it cannot be read ({error.strerror})" if isinstance(error, OSError) else f"it holds no such {kind} key"
    return SigningKeyError(f"The {kind} key {path} cannot be used: {why}.")
