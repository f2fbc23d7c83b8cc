"""Keyed digests: what is equal has equal ones, and without the installation's key no guess can be tested.

The key is derived from MOP_SECRET_KEY, for each use another one. With a new secret key, older digests compare with
nothing any more; nothing else depends on them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings

from mop.deferred import np

ROWS_AT_ONCE = 500_000
WIDTH = 8


def keyed_digest(use: str, text: str) -> str:
    """A digest of a text, in hexadecimal, for one use."""
    return hashlib.blake2b(text.encode(), key=_key(use), digest_size=32).hexdigest()


def reading_seed() -> int:
    """The 64 bits with which the parser in the cage digests rows."""
    return int.from_bytes(_key("seed of rows")[:8], "little")


def seal_digests(given: Path, sealed: Path) -> None:
    """Write the digests that the cage gave as keyed digests, ascending.

    The cage hashes fast and knows only its seed. Its hash can be inverted; what is kept cannot.

    Raises:
        ValueError: the file is not made of digests.
    """
    size = given.stat().st_size
    if size % WIDTH:
        raise ValueError(f"{size} bytes are no digests of {WIDTH} bytes each")
    key = _key("rows")
    with given.open("rb") as source, sealed.open("wb") as target:
        while part := source.read(ROWS_AT_ONCE * WIDTH):
            target.write(
                b"".join(
                    hashlib.blake2b(part[place : place + WIDTH], key=key, digest_size=WIDTH).digest()
                    for place in range(0, len(part), WIDTH)
                )
            )
    if size:
        digests = np.memmap(sealed, dtype="<u8", mode="r+")
        digests.sort()
        digests.flush()


def _key(use: str) -> bytes:
    secret = hashlib.blake2b(settings.SECRET_KEY.encode(), person=b"mop datasets").digest()
    return hashlib.blake2b(use.encode(), key=secret, digest_size=32).digest()
