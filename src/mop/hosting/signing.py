"""Signed artifacts, where the operator configured a key: signed when read, proved before each deployment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from mop.storage import ArtifactStore

if TYPE_CHECKING:
    from mop.storage.signatures import Signatures


def open_signatures(store: ArtifactStore) -> Signatures | None:
    """Signing as configured, the keys read anew; None when it is off: then nothing that it needs is imported.

    Raises:
        SigningKeyError: a key cannot be used.
    """
    if settings.MOP_SIGNING_KEY is None and not settings.MOP_SIGNING_PUBLIC_KEYS:
        return None
    from mop.storage.signatures import Signatures  # noqa: PLC0415 - only with a key
    from mop.storage.signing_keys import read_signing_keys  # noqa: PLC0415 - only with a key

    return Signatures(store, read_signing_keys(settings.MOP_SIGNING_KEY, settings.MOP_SIGNING_PUBLIC_KEYS))


async def check_signature(store: ArtifactStore, digest: str, folder: Path, *, log: Callable[[str], None]) -> None:
    """Prove, if signing is on, that a materialised folder is what was signed. Call it before anything of it starts.

    Raises:
        SigningKeyError: a key cannot be used.
        ArtifactSignatureError: the signature is missing or does not hold, or the folder holds something else.
        ArtifactDamagedError: the manifest is missing or damaged.
    """
    if signatures := open_signatures(store):
        await signatures.check(digest, folder, log=log)
