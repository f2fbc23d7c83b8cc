"""A made bundle as a file: its parts lie in the artifact store, each once; headers are made when they are read.

So a bundle takes no room beside the model that it holds, and any range of it can be read.
"""

from __future__ import annotations

import bisect
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mop.releases.bundles.archive import END, Entry, header, padding
from mop.releases.bundles.manifest import MANIFEST, SIGNATURE
from mop.storage.artifact_store import ArtifactStore, damaged
from mop.storage.manifest import Manifest, ManifestFile

_CHUNK = 1 << 20


@dataclass(frozen=True)
class _Piece:
    """Bytes, or a file of the store."""

    content: bytes | Path
    size: int


class BundleFile(io.RawIOBase):
    """Reads a bundle from the artifact store, from any place."""

    def __init__(self, store: ArtifactStore, manifest: Manifest) -> None:
        self._pieces = tuple(_pieces(store, manifest))
        self._begins = (0, *itertools.accumulate(piece.size for piece in self._pieces))
        self.size = self._begins[-1]
        self._place = 0
        self._open: tuple[int, BinaryIO] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(0, begin + offset)
        return self._place

    def read(self, count: int = -1) -> bytes:
        """Up to so many bytes; fewer at the end of a piece, none at the end of the file.

        Raises:
            ArtifactDamagedError: a part is missing or cut short.
        """
        if self._place >= self.size or count == 0:
            return b""
        number = bisect.bisect_right(self._begins, self._place) - 1
        piece, offset = self._pieces[number], self._place - self._begins[number]
        wanted = min(piece.size - offset, count if count > 0 else _CHUNK)
        found = piece.content[offset : offset + wanted] if isinstance(piece.content, bytes) else b""
        if isinstance(piece.content, Path):
            file = self._file(number, piece.content)
            file.seek(offset)
            found = file.read(wanted)
            if len(found) != wanted:
                raise damaged(f"a part of a bundle is cut short: {piece.content.name}")
        self._place += len(found)
        return found

    def chunks(self, begin: int, end: int) -> Iterator[bytes]:
        """The bytes from `begin` up to `end`, which is not in it."""
        self.seek(begin)
        while self._place < end:
            yield self.read(min(_CHUNK, end - self._place))

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None
        super().close()

    def _file(self, number: int, path: Path) -> BinaryIO:
        if self._open is None or self._open[0] != number:
            if self._open is not None:
                self._open[1].close()
            try:
                self._open = (number, path.open("rb"))
            except OSError as error:
                self._open = None
                raise damaged(f"blob {path.name} cannot be read") from error
        return self._open[1]


def _pieces(store: ArtifactStore, manifest: Manifest) -> Iterator[_Piece]:
    for part in _in_order(manifest.files):
        path = store.path_of(part.sha256)
        if path is None:
            raise ValueError("bundles are read from a local store")
        for content in (header(Entry(part.path, part.size)), path, padding(part.size)):
            size = part.size if isinstance(content, Path) else len(content)
            if size:
                yield _Piece(content, size)
    yield _Piece(END, len(END))


def _in_order(parts: Sequence[ManifestFile]) -> list[ManifestFile]:
    first = (SIGNATURE, MANIFEST)  # a reader knows what is signed before anything else
    return sorted(parts, key=lambda part: (first.index(part.path) if part.path in first else len(first), part.path))
