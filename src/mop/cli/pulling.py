"""Downloading a file that can be resumed, to a name that it gets once it is whole."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from mop.cli.failures import ServerUnreachableError

if TYPE_CHECKING:
    from mop_client.cli.client import Server

_CHUNK = 1 << 20


def pull(server: Server, path: tuple[str, ...], target: Path, *, size: int, sha256: str) -> int:
    """Download a file of known size and digest; what an earlier try left in `target`.part goes on where it ended.

    Returns:
        The byte at which it went on, 0 for a download from the beginning.

    Raises:
        ServerUnreachableError: the connection broke, or what came is something else.
        OSError: the file can not be written.
    """
    part = target.with_name(f"{target.name}.part")
    begin = part.stat().st_size if part.exists() else 0
    if begin > size:
        part.unlink()
        begin = 0
    if begin < size:
        # If-Range: of a file that was made anew meanwhile the whole comes
        headers = {"Range": f"bytes={begin}-", "If-Range": f'"{sha256}"'} if begin else {}
        with server.stream(*path, headers=headers) as response:
            is_part = response.status_code == HTTPStatus.PARTIAL_CONTENT
            begin = begin if is_part else 0
            with part.open("ab" if is_part else "wb") as file:
                for chunk in response.iter_raw(_CHUNK):
                    file.write(chunk)
    if _sha256(part) != sha256:
        part.unlink()
        raise ServerUnreachableError(
            "What was downloaded is not what the server announced; it is removed.", hint="Pull it again."
        )
    part.replace(target)
    return begin


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
