"""Texts that the database keeps encrypted, by a key that is derived from MOP_SECRET_KEY for each purpose.

A copy of the database alone shows none of them. With a new secret key, what was sealed before cannot be read.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

KEY_BYTES = 32


def seal(text: str, *, purpose: str) -> str:
    """The text as the database keeps it."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(kept: str, *, purpose: str) -> str | None:
    """The text that was sealed; None where MOP_SECRET_KEY is another one since."""
    try:
        return _box(purpose).decrypt(kept.encode()).decode()
    except InvalidToken:
        return None


def _box(purpose: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"mop {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(key.derive(settings.SECRET_KEY.encode())))
