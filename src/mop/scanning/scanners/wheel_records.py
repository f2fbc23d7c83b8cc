"""RECORD, a package's list of its files and their digests."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

from mop.scanning.limits import MIB

RECORD_BYTES_MAX = 16 * MIB
RECORD_LINES_MAX = 200_000
FIELD_CHARACTERS_MAX = 8_192  # of a path or digest; csv's own limit belongs to the whole process
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Recorded:
    """A line of RECORD; `digest` is "" where it gives none."""

    path: str
    digest: str


def read_record(text: str) -> list[Recorded]:
    """Its lines.

    Raises:
        ValueError: it is no list of files, or far too long.
    """
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline="")):
            if len(rows) == RECORD_LINES_MAX:
                raise ValueError(f"RECORD has more than {RECORD_LINES_MAX:,} lines")
            if any(len(field) > FIELD_CHARACTERS_MAX for field in row):
                raise ValueError(f"RECORD has a field of more than {FIELD_CHARACTERS_MAX:,} characters")
            if row and row[0]:
                rows.append(row[:2])
    except csv.Error as error:
        raise ValueError("RECORD cannot be read") from error
    return [Recorded(row[0], row[1] if len(row) > 1 else "") for row in rows]


def digest_of(kind: str, read: Callable[[int], bytes], spend: Callable[[int], None]) -> str:
    """The digest of a stream as RECORD writes it, `sha256=...`.

    Args:
        kind: what RECORD says of it, for its algorithm.
        read: takes bytes of the stream.
        spend: told of each number of bytes; may raise.

    Raises:
        ValueError: an algorithm that is not known, or broken.
    """
    name = kind.partition("=")[0]
    if name not in {"sha256", "sha384", "sha512"}:
        raise ValueError(f"RECORD names the algorithm {name[:20]!r}")
    digest = hashlib.new(name)
    while chunk := read(_CHUNK):
        spend(len(chunk))
        digest.update(chunk)
    return f"{name}={base64.urlsafe_b64encode(digest.digest()).decode().rstrip('=')}"
