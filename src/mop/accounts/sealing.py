"""Texts that the database keeps encrypted, by a key that is derived from MOP_SECRET_KEY for each purpose.

A copy of the database alone shows none of them. With a new secret key, what was sealed before cannot be read.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from django.conf import settings

from mop.deferred import deferred

if TYPE_CHECKING:
    from cryptography import fernet
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf import hkdf
else:
    fernet = deferred("cryptography.fernet")
    hashes = deferred("cryptography.hazmat.primitives.hashes")
    hkdf = deferred("cryptography.hazmat.primitives.kdf.hkdf")

KEY_BYTES = 32


def seal(text: str, *, purpose: str) -> str:
    """The text as the database keeps it."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(kept: str, *, purpose: str) -> str | None:
    """The text that was sealed; None where MOP_SECRET_KEY is another one since."""
    try:
        return _box(purpose).decrypt(kept.encode()).decode()
    except fernet.InvalidToken:
        return None


def _box(purpose: str) -> fernet.Fernet:
    key = hkdf.HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=f"mop {purpose}".encode())
    return fernet.Fernet(base64.urlsafe_b64encode(key.derive(settings.SECRET_KEY.encode())))
