"""Keys and signatures of tests of signed artifacts."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def make_signing_key(path: Path) -> Path:
    """A new private key on P-256, as `openssl ecparam -genkey` writes one."""
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return path


def signature_of(store: Path, digest: str) -> bytes | None:
    """The signature of a snapshot in a local artifact store; None when there is none."""
    path = store / "signatures" / digest[:2] / f"{digest}.json"
    return path.read_bytes() if path.exists() else None
