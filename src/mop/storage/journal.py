"""The resume journal: what a snapshot that was killed had read, so that the next one does not read it again.

One file for each source, named by the hash of the source, never by anything a stranger chose. A line for each file that
is stored, and for a large one every few megabytes of the way: the listed path, size and ETag, how many bytes were read,
and the SHA-256 of these. Nothing in it is believed: bytes that are reused are hashed again.

Each line is appended by one write; one that was torn by a crash is not JSON and is skipped. Two snapshots of one source
may write to the same journal: equal lines do no harm.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Self

from mop.storage.artifact_store import store_fault
from mop.storage.manifest import is_sha256
from mop.storage.source import SourceFile

_KEPT_S = 24 * 3600  # as long as a revision that could not be read is tried again
_MAX_BYTES = 64 << 20


class ResumeJournal:
    """What is known of one source, and a place for more."""

    def __init__(self, path: Path, source: str) -> None:
        self._path, self._source = path, source
        self._read: dict[SourceFile, dict[int, str]] = defaultdict(dict)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        for line in os.pread(self._descriptor, _MAX_BYTES, 0).split(b"\n"):
            self._take(line)
        os.write(self._descriptor, b"\n")  # ends a line that was torn

    @classmethod
    def open(cls, folder: Path, source: str) -> Self:
        """The journal of a source, below `folder`; journals that nobody went on with for a day are removed.

        Raises:
            DiskFullError, StorageUnavailableError: it cannot be written.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sweep(folder)
            return cls(folder / f"{hashlib.sha256(source.encode()).hexdigest()}.jsonl", source)
        except OSError as error:
            raise store_fault(error) from error

    def known(self, file: SourceFile) -> dict[int, str]:
        """Bytes read of the listed file to the SHA-256 of these; without an ETag nothing tells that it is the same."""
        return self._read.get(file, {}) if file.etag else {}

    def note(self, file: SourceFile, size: int, sha256: str) -> None:
        """The first `size` bytes of the file were read and written.

        Raises:
            DiskFullError, StorageUnavailableError: it cannot be noted.
        """
        line = json.dumps([file.path, file.size, file.etag, size, sha256])
        try:
            os.write(self._descriptor, line.encode() + b"\n")
        except OSError as error:
            raise store_fault(error) from error

    def part_name(self, file: SourceFile) -> str:
        """A name for what is received of the file; the same for the same listing of the same source."""
        told = json.dumps([self._source, file.path, file.size, file.etag])
        return f"part-{hashlib.sha256(told.encode()).hexdigest()}"

    def finish(self) -> None:
        """The snapshot is stored: nothing is left to resume."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Keep it for the next try."""
        os.close(self._descriptor)

    def _take(self, line: bytes) -> None:
        with suppress(ValueError, TypeError, RecursionError):
            path, size, etag, read, sha256 = json.loads(line)
            if isinstance(read, int) and 0 < read <= size and is_sha256(sha256):
                self._read[SourceFile(path=path, size=size, etag=etag)][read] = sha256


def _sweep(folder: Path) -> None:
    oldest = time.time() - _KEPT_S
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
