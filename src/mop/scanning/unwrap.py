"""Take a file apart: each part is known by its content and read by its format, once, within bounds.

Whatever cannot be read whole is told as such, never passed over.
"""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, cast

from mop.scanning.formats import HEAD_BYTES, Format, Head, format_of
from mop.scanning.formats.base import Part
from mop.scanning.formats.hdf5 import Hdf5, read_behind
from mop.scanning.formats.pickles import Pickle, pickle_at_the_beginning, tell_of_search
from mop.scanning.formats.tar_archive import Tar
from mop.scanning.formats.text import Text
from mop.scanning.formats.unknown import Unknown
from mop.scanning.formats.zip_archive import END, TAIL_BYTES, Zip, read_archive
from mop.scanning.look import Look, plain
from mop.scanning.pickles.judging import tell_of_trace
from mop.scanning.pickles.search import Search
from mop.scanning.reader import ByteStream, Reader, TooMuchError, TooSlowError

_ERRORS = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)
_FOLLOWED_ANYWAY = (Pickle, Text, Unknown)
"""Formats that look for a pickle at their beginning themselves."""


def unwrap_file(path: Path, look: Look) -> None:
    """Take a file apart, to the innermost part.

    Args:
        path: a regular file.
        look: takes what is found.

    Raises:
        OSError: the file itself cannot be read.
    """
    with path.open("rb") as file:
        try:
            _read(Unwrapping(look), file, look)
        except TooSlowError as error:
            look.costly(look.path, str(error))
        except TooMuchError as error:
            look.bomb(look.path, str(error))


def _read(unwrapping: Unwrapping, file: IO[bytes], look: Look) -> None:
    part = unwrapping.part(cast("ByteStream", file), look.path, 0, size=look.size, file=file)
    found = unwrapping.examine(part)
    if not isinstance(found, Hdf5):
        read_behind(part, file, look.size)
    if isinstance(found, Zip | Tar):  # what a tar holds is read, wherever it lies
        return
    file.seek(max(0, look.size - TAIL_BYTES))
    if END in file.read(TAIL_BYTES):
        try:
            read_archive(part, file, certain=False)
        except _ERRORS as error:
            look.incomplete(look.path, f"the archive at its end breaks off: {plain(error)}")


class Unwrapping:
    """Reads the parts of one file."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def open(
        self,
        stream: ByteStream,
        name: str,
        depth: int,
        *,
        known: Format | None = None,
        file: IO[bytes] | None = None,
        size: int | None = None,
    ) -> None:
        """Read a part that came out of another."""
        self.examine(self.part(stream, name, depth, size=size, file=file), known)

    def part(
        self, stream: ByteStream, name: str, depth: int, *, size: int | None = None, file: IO[bytes] | None = None
    ) -> Part:
        """A part at its beginning."""
        return Part(name, Reader(stream, budget=self._look.spend), self._look, depth, self.open, size, file)

    def examine(self, part: Part, known: Format | None = None) -> Format:
        """Read a part as what it is; its format."""
        if known is None or known.gives_way:
            found = format_of(Head(part.reader.peek(HEAD_BYTES), part.size))
            found = known if known is not None and isinstance(found, Unknown) else found
        else:
            found = known
        if (known is None or known.gives_way) and not isinstance(found, _FOLLOWED_ANYWAY):
            self._look_for_a_pickle(part)
        search = Search() if found.is_searched else None
        part.reader = Reader(part.reader, watchers=[search.feed] if search else [])
        try:
            found.examine(part)
            part.reader.drain()
        except (TooMuchError, TooSlowError):
            raise
        except _ERRORS as error:
            part.look.incomplete(part.name, f"it breaks off: {plain(error)}")
            self._drain(part)
        except Exception as error:  # noqa: BLE001 - a part may break any reader; what is around it is read on
            part.look.broken_reader(part.name, error)
            self._drain(part)
        if search:
            search.end()
            tell_of_search(part, search)
        return found

    def _drain(self, part: Part) -> None:
        try:
            part.reader.drain()
        except _ERRORS:
            return

    def _look_for_a_pickle(self, part: Part) -> None:
        trace = pickle_at_the_beginning(part, is_text=False)
        if trace is not None:
            part.look.ambiguous(part.name, "it is a pickle as well")
            tell_of_trace(part.look, part.name, trace)
