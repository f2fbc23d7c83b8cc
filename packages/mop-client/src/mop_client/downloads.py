"""Downloading a file that can be resumed, to a name that it gets once it is whole."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Callable, ContextManager, Mapping

if TYPE_CHECKING:
    import httpx

_CHUNK = 1 << 20

Stream = Callable[[Mapping[str, str]], "ContextManager[httpx.Response]"]


class WrongContentError(Exception):
    """What came is not what the server announced; nothing of it is kept."""

    def __init__(self) -> None:
        super().__init__("What was downloaded is not what the server announced; it is removed.")


def download(stream: Stream, target: Path, *, size: int, sha256: str) -> int:
    """Download a file of known size and digest; what an earlier try left in `target`.part goes on where it ended.

    Args:
        stream: asks for the file with these headers, and gives the successful answer.
        target: where the file goes.
        size: in bytes.
        sha256: of the file, which is also its ETag.

    Returns:
        The byte at which it went on, 0 for a download from the beginning.

    Raises:
        WrongContentError: what came is something else.
        OSError: the file cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    begin = part.stat().st_size if part.exists() else 0
    if begin > size:
        part.unlink()
        begin = 0
    if begin < size:
        # If-Range: of a file that was made anew meanwhile the whole comes
        headers = {"Range": f"bytes={begin}-", "If-Range": f'"{sha256}"'} if begin else {}
        with stream(headers) as response:
            is_part = response.status_code == HTTPStatus.PARTIAL_CONTENT
            begin = begin if is_part else 0
            with part.open("ab" if is_part else "wb") as file:
                for chunk in response.iter_raw(_CHUNK):
                    file.write(chunk)
    if _sha256(part) != sha256:
        part.unlink()
        raise WrongContentError
    part.replace(target)
    return begin


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
