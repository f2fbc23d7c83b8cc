"""What a person sends and what the model answers, on their way through the database that keeps neither.

    browser or command ── input ──► portal ── sealed for the worker ──► row ──► worker: opens, asks the model
            ▲                          │                                          │
            └── answer ── portal ◄─────┼── sealed with the person's key ◄── row ◄─┘
                        (asks with the key, which only the person has)

The worker makes a key pair for each try and keeps the private key in its memory until the try ends; the person's key
travels with the input and with each question for the answer. So rows, backups and logs of the database hold nothing
that anybody could open later: not with the row, nor with the installation's secret key.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from mop.deferred import deferred

if TYPE_CHECKING:
    from cryptography import exceptions
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import x25519
    from cryptography.hazmat.primitives.ciphers import aead
    from cryptography.hazmat.primitives.kdf import hkdf
else:
    exceptions = deferred("cryptography.exceptions")
    hashes = deferred("cryptography.hazmat.primitives.hashes")
    x25519 = deferred("cryptography.hazmat.primitives.asymmetric.x25519")
    aead = deferred("cryptography.hazmat.primitives.ciphers.aead")
    hkdf = deferred("cryptography.hazmat.primitives.kdf.hkdf")


KEY_BYTES = 32
_NONCE_BYTES = 12
_PURPOSE = b"mop trial input"


class SealError(Exception):
    """The key does not fit, or the bytes are not whole."""


def seal_for(public_key: bytes, plain: bytes) -> bytes:
    """Encrypt for the holder of the private key: 32 bytes of an ephemeral public key, then AES-256-GCM."""
    ephemeral = x25519.X25519PrivateKey.generate()
    shared = ephemeral.exchange(x25519.X25519PublicKey.from_public_bytes(public_key))
    own = ephemeral.public_key().public_bytes_raw()
    # the derived key is used once, so its nonce may be fixed
    return own + aead.AESGCM(_derived(shared, own + public_key)).encrypt(bytes(_NONCE_BYTES), plain, None)


def open_with(private_key: x25519.X25519PrivateKey, sealed: bytes) -> bytes:
    """What `seal_for` sealed.

    Raises:
        SealError: it was sealed for another key.
    """
    own, rest = sealed[:KEY_BYTES], sealed[KEY_BYTES:]
    try:
        shared = private_key.exchange(x25519.X25519PublicKey.from_public_bytes(own))
        key = _derived(shared, own + private_key.public_key().public_bytes_raw())
        return aead.AESGCM(key).decrypt(bytes(_NONCE_BYTES), rest, None)
    except (exceptions.InvalidTag, ValueError) as error:
        raise SealError("sealed for another key") from error


def encrypt(key: bytes, plain: bytes) -> bytes:
    """Encrypt with a person's key of 32 bytes: 12 bytes of nonce, then AES-256-GCM."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + aead.AESGCM(key).encrypt(nonce, plain, None)


def decrypt(key: bytes, sealed: bytes) -> bytes:
    """What `encrypt` encrypted.

    Raises:
        SealError: the key is another, or none.
    """
    try:
        return aead.AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
    except (exceptions.InvalidTag, ValueError) as error:
        raise SealError("another key") from error


def _derived(shared: bytes, salt: bytes) -> bytes:
    return hkdf.HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=salt, info=_PURPOSE).derive(shared)
