"""Downloading a file that can be resumed, for commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mop_client.cli.failures import ServerUnreachableError
from mop_client.downloads import WrongContentError, download

if TYPE_CHECKING:
    from mop_client.cli.client import Server


def pull(server: Server, path: tuple[str, ...], target: Path, *, size: int, sha256: str) -> int:
    """Download a file of known size and digest, and go on where an earlier try ended.

    Returns:
        The byte at which it went on, 0 for a download from the beginning.

    Raises:
        ServerUnreachableError: the connection broke, or what came is something else.
        OSError: the file cannot be written.
    """
    try:
        return download(lambda headers: server.stream(*path, headers=dict(headers)), target, size=size, sha256=sha256)
    except WrongContentError as error:
        raise ServerUnreachableError(str(error), hint="Pull it again.") from error
