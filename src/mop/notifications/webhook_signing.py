"""Secrets and signatures of webhooks, by Standard Webhooks (standardwebhooks.com).

A secret is `whsec_` and 32 random bytes in base64. A signature is `v1,` and the HMAC-SHA256 of `id.timestamp.body`, in
base64. While a secret is being rotated a message carries a signature by each, separated by a blank. Secrets are kept
encrypted with a key that is derived from MOP_SECRET_KEY: a copy of the database alone signs nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PURPOSE = "webhooks"
PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signatures(keys: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_hmac(key, signed)}" for key in keys)


def _hmac(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
