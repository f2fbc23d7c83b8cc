"""Take a file apart: containers and compressions within each other, every part of them read once, within bounds.

What a part holds is told to a `Listener`. Whatever can not be read whole is told as such, never passed over.
"""

from __future__ import annotations

import ast
import bz2
import gzip
import io
import lzma
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol, cast

from mop.scanning.findings import too_slow
from mop.scanning.formats import Format, format_of
from mop.scanning.limits import ScanLimits
from mop.scanning.reader import ByteStream, Reader, TooMuchError

HEAD_BYTES = 512
HEADER_BYTES = 64 * 1024
_TAIL_BYTES = 66_000  # a zip's last record with the longest comment
_STREAM_ERRORS = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError)
_ZIP_ERRORS = (*_STREAM_ERRORS, zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError, IndexError)
_FLAG_ENCRYPTED = 0x1


class Listener(Protocol):
    """Hears what comes out. Names of parts follow their container's after `!`."""

    def part(self, name: str, head: bytes) -> Callable[[bytes], None]:
        """A part begins; the answer is called with its bytes, chunk by chunk, and with b"" at its end."""

    def pickles(self, name: str, reader: Reader) -> None:
        """The rest of this part is, or may be, pickles, one after the other; read as far as they go."""

    def incomplete(self, name: str, reason: str) -> None:
        """Something of this part was not seen."""

    def bomb(self, name: str, reason: str) -> None:
        """This part grows beyond all measure."""

    def escape(self, name: str, member: str) -> None:
        """A member's name leads out of the folder that its archive is unpacked to."""


def unwrap_file(path: Path, name: str, listener: Listener, limits: ScanLimits) -> None:
    """Take a file apart, to the innermost part.

    Args:
        path: a regular file.
        name: how it is called in what the listener hears.
        listener: hears it.
        limits: how far to go.

    Raises:
        OSError: the file itself can not be read.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        most = max(limits.expansion_floor_bytes, size * limits.expansion)
        _Unwrapping(listener, limits, size, most).file(file, name, size=size, depth=0)


class _Unwrapping:
    def __init__(self, listener: Listener, limits: ScanLimits, size: int, most: int) -> None:
        self._listener = listener
        self._limits = limits
        self._left = size + most
        self._members = limits.members
        self._until = time.monotonic() + limits.seconds

    def file(self, file: IO[bytes], name: str, *, size: int, depth: int) -> None:
        """A file of random access: also what only its end shows."""
        reader = self._stream(cast("ByteStream", file), name, depth=depth)
        if reader is None:
            return
        head_is_zip = reader == Format.ZIP
        file.seek(max(0, size - _TAIL_BYTES))
        if head_is_zip or b"PK\x05\x06" in file.read(_TAIL_BYTES):
            file.seek(0)
            self._zip(file, name, depth=depth, certain=head_is_zip)

    def _stream(self, stream: ByteStream, name: str, *, depth: int) -> Format | None:
        """Read a stream to its end; its format, or None when it was given up."""
        head_reader = Reader(stream)
        head = head_reader.peek(HEAD_BYTES)
        watch = self._listener.part(name, head)
        reader = Reader(head_reader, watchers=[watch], budget=self._spend)
        kind = format_of(reader.peek(HEAD_BYTES))
        try:
            self._look_into(kind, reader, name, depth=depth)
            reader.drain()
        except TooMuchError as error:
            self._listener.bomb(name, str(error))
            watch(b"")
            return None
        except _STREAM_ERRORS as error:
            self._listener.incomplete(name, f"it breaks off: {_plain(error)}")
            try:
                reader.drain()
            except (*_STREAM_ERRORS, TooMuchError):
                watch(b"")
                return None
        watch(b"")
        return kind

    def _look_into(self, kind: Format, reader: Reader, name: str, *, depth: int) -> None:
        unpackers: dict[Format, Callable[[Reader], Any]] = {
            Format.GZIP: lambda reader: gzip.GzipFile(fileobj=cast("Any", reader)),
            Format.BZIP2: lambda reader: bz2.BZ2File(cast("Any", _Raw(reader))),
            Format.XZ: lambda reader: lzma.LZMAFile(cast("Any", _Raw(reader))),  # noqa: SIM115 - it owns nothing
            Format.ZLIB: _Inflated,
        }
        if kind in unpackers:
            if depth >= self._limits.depth:
                self._listener.incomplete(name, f"more than {self._limits.depth} containers within each other")
                return
            self._inner(unpackers[kind](reader), f"{name}!content", depth=depth + 1)
        elif kind == Format.TAR:
            self._tar(reader, name, depth=depth)
        elif kind == Format.NPY:
            self._npy(reader, name)
        elif kind in {Format.PICKLE, Format.OTHER}:
            self._listener.pickles(name, reader)
        elif kind == Format.UNREADABLE:
            self._listener.incomplete(name, "a compression or archive that MOP can not unpack")

    def _inner(self, stream: ByteStream, name: str, *, depth: int) -> None:
        """A part of a stream: kept in memory where it needs random access, if it is small enough."""
        reader = Reader(stream)
        if format_of(reader.peek(HEAD_BYTES)) == Format.ZIP:
            content = reader.read(self._limits.spool_bytes + 1)
            if len(content) <= self._limits.spool_bytes:
                self.file(io.BytesIO(content), name, size=len(content), depth=depth)
                return
            self._listener.incomplete(name, f"an archive of over {self._limits.spool_bytes:,} bytes within another")
        self._stream(reader, name, depth=depth)

    def _zip(self, file: IO[bytes], name: str, *, depth: int, certain: bool) -> None:
        try:
            archive = zipfile.ZipFile(file)
        except _ZIP_ERRORS as error:
            if certain:
                self._listener.incomplete(name, f"the archive can not be read: {_plain(error)}")
            return
        if depth >= self._limits.depth:
            self._listener.incomplete(name, f"more than {self._limits.depth} containers within each other")
            return
        with archive:
            for member in archive.infolist():
                if not self._take_member(name):
                    return
                if leads_out(member.filename):
                    self._listener.escape(name, member.filename)
                if not member.is_dir() and not self._zip_member(archive, member, f"{name}!{member.filename}", depth):
                    return

    def _zip_member(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, part: str, depth: int) -> bool:
        """Look into a member; False when nothing more can be taken out of this file."""
        if member.flag_bits & _FLAG_ENCRYPTED:
            # loaders that do not look at this bit read it all the same
            member.flag_bits &= ~_FLAG_ENCRYPTED
            self._listener.incomplete(part, "it is marked as encrypted")
        try:
            with archive.open(member) as stream:
                self._inner(cast("ByteStream", stream), part, depth=depth + 1)
        except TooMuchError as error:
            self._listener.bomb(part, str(error))
            return False
        except _ZIP_ERRORS as error:
            self._listener.incomplete(part, f"it can not be unpacked: {_plain(error)}")
        return True

    def _tar(self, reader: Reader, name: str, *, depth: int) -> None:
        if depth >= self._limits.depth:
            self._listener.incomplete(name, f"more than {self._limits.depth} containers within each other")
            return
        with tarfile.open(fileobj=cast("Any", reader), mode="r|") as archive:
            for member in archive:
                if not self._take_member(name):
                    return
                if leads_out(member.name) or ((member.issym() or member.islnk()) and leads_out(member.linkname)):
                    self._listener.escape(name, member.name)
                content = archive.extractfile(member) if member.isreg() else None
                if content is not None:
                    self._inner(cast("ByteStream", content), f"{name}!{member.name}", depth=depth + 1)

    def _npy(self, reader: Reader, name: str) -> None:
        """The header tells whether objects follow, which numpy writes as a pickle."""
        version = reader.exactly(8)[6]
        length = int.from_bytes(reader.exactly(2 if version == 1 else 4), "little")
        if length > HEADER_BYTES:
            self._listener.incomplete(name, "a header of numpy of unusual length")
            return
        text = reader.exactly(length).decode("latin-1")
        try:
            descr = repr(ast.literal_eval(text.strip())["descr"])
        except (SyntaxError, ValueError, KeyError, TypeError, MemoryError, RecursionError):
            self._listener.incomplete(name, "a header of numpy that can not be read")
            descr = "O"
        if "O" in descr:
            self._listener.pickles(name, reader)

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise TooMuchError("it unpacks to far more than its size: a decompression bomb")
        if time.monotonic() > self._until:
            raise TooMuchError(too_slow(self._limits.seconds))

    def _take_member(self, name: str) -> bool:
        self._members -= 1
        if self._members < 0:
            self._listener.incomplete(name, f"more than {self._limits.members:,} members")
            return False
        return True


class _Raw:
    """A reader as the decompressors of the standard library take it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, size: int = -1) -> bytes:
        return self._reader.read(size if size >= 0 else HEADER_BYTES)

    def readinto(self, buffer: memoryview) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    closed = False


class _Inflated:
    """The content of a zlib stream; what stands behind its end stays in the reader's watchers' sight."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._zlib = zlib.decompressobj()

    def read(self, size: int, /) -> bytes:
        while not self._zlib.eof:
            data = self._zlib.unconsumed_tail or self._reader.read(HEADER_BYTES)
            if not data:
                raise EOFError("it ends in the middle")
            content = self._zlib.decompress(data, size)
            if content:
                return content
        return b""


def leads_out(name: str) -> bool:
    """Whether a name of a member would be unpacked outside of its folder."""
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or (len(parts[0]) > 1 and parts[0][1] == ":")


def _plain(error: BaseException) -> str:
    """An error's text, one line, bounded: names in it come from the file."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(character if character.isprintable() else "?" for character in text)[:200]
