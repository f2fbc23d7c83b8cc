"""Zip archives: torch, npz, .keras, skops, wheels and plain ones."""

from __future__ import annotations

import contextlib
import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from typing import IO, Any, cast

from mop.scanning.formats.archived_python import ArchivedPython
from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.member_names import called, leads_out
from mop.scanning.formats.pickles import tell_of_search
from mop.scanning.formats.raw_numbers import Storage, Weights
from mop.scanning.formats.torch_script import TorchScriptCode
from mop.scanning.look import plain, shown
from mop.scanning.pickles.search import Search
from mop.scanning.reader import ByteStream, Slice

ERRORS = (
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError, KeyError, IndexError),
    *(zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile),
)
END = b"PK\x05\x06"
TAIL_BYTES = 66_000
"""A zip's last record with the longest comment."""
_LOCAL = b"PK\x03\x04"
_ENTRY = b"PK\x01\x02"
_MARK = b"PK"
"""What every record of an archive begins with."""
_END_BYTES = 22
_ZIP64 = 0xFFFFFFFF
_FLAGS_REFUSED = 0x1 | 0x20 | 0x40
"""Encrypted, a patch of another file, and encrypted in another way."""
_FLAG_UTF8 = 0x800
_DIRECTORIES_MAX = 4
_LOCAL_HEADER = 30
_DESCRIPTOR_MAX = 24
_PIECE = 256 * 1024
_LINK_BYTES = 4096
_COMPARED = 64 * 1024
"""Bytes that are compared at once, so that all of it stays in the processor's cache."""
_TORCH_PICKLE = "data.pkl"
_TORCH_STORAGE = re.compile(r"(|.*/)(?:data|constants)/\d+")
_CONSTANTS = "constants.pkl"
_TORCH_VERSION = ".data/version"
_TORCH_WEIGHTS = re.compile(r"(|.*/)(?:data/(?:weights/weight|constants/tensor)_\d+|\.data/\d+\.storage)")
_COMPILED = "/data/aotinductor/"
_COMPILED_SUFFIXES = (".so", ".cpp", ".o", ".cubin")
_STORAGE, _WEIGHTS = Storage(), Weights()
_SCRIPT = TorchScriptCode()


class Zip(Format):
    """By its first local header; one behind other bytes is known by its end."""

    name = "zip: torch, TorchScript, torch.export, torch.package, .npz, .keras, .mar, skops, wheel"
    runs = (
        "what its members run: the pickles of torch, TorchScript's code that writes or opens files, arrays of objects, "
        "the layers of Keras, what skops names, the Python that torch.package, TorchServe and others import; members "
        "that lead out"
    )
    seen = "every member of every directory that it has, Python by its syntax tree, and the bytes between them"
    urgency = 1

    def recognises(self, head: Head) -> bool:
        """By the first bytes."""
        return head.data.startswith((_LOCAL, END))

    def examine(self, part: Part) -> None:
        """Read the members, which needs random access."""
        if part.file is not None:
            read_archive(part, part.file, certain=True)
            return
        content = part.reader.read(part.look.limits.spool_bytes + 1)
        if len(content) <= part.look.limits.spool_bytes:
            part.size = len(content)
            read_archive(part, io.BytesIO(content), certain=True)
        else:
            spooled = part.look.limits.spool_bytes
            part.look.incomplete(part.name, f"an archive of over {spooled:,} bytes within another")
            search = Search()
            search.feed(content)
            while piece := part.reader.read(_PIECE):
                search.feed(piece)
            search.end()
            tell_of_search(part, search)


def read_archive(part: Part, file: IO[bytes], *, certain: bool) -> None:
    """Read every member of every directory.

    Args:
        part: the archive; its reader is not used.
        file: for random access.
        certain: the file begins like an archive, so that one without a directory is broken.
    """
    ends, entries = _records(file)
    if entries > part.look.limits.members:
        part.look.costly(part.name, f"more than {part.look.limits.members:,} members")
        return
    try:
        archive = zipfile.ZipFile(file)
    except ERRORS as error:
        if certain:
            part.look.incomplete(part.name, f"the archive cannot be read: {plain(error)}")
        return
    if not part.look.may_open(part.name, part.depth):
        return
    with archive:
        members = archive.infolist()
        places = sorted(_places(file, members))
        _look_at_gaps(part, file, archive, places)
        _read_members(part, archive, members)
        found = archive.start_dir
    outside = [end for end in ends[:-1] if not any(begin < end <= after for begin, after in places)]
    _other_directories(part, file, outside)
    _directory_at_its_word(part, file, ends, found)


def _read_members(part: Part, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], prefix: str = "") -> None:
    names = archive.namelist()
    roots = {name[: -len(_TORCH_PICKLE)] for name in names if name.endswith(_TORCH_PICKLE)}
    exports = {name[: -len(_TORCH_VERSION)] for name in names if name.endswith(_TORCH_VERSION)}
    scripts = {name[: -len(_CONSTANTS)] for name in names if name.endswith(_CONSTANTS)}
    python = ArchivedPython(part)
    for name in names:
        python.saw(name)
    for member in members:
        if not part.look.take_member(part.name):
            break
        if leads_out(member.filename):
            part.look.escape(part.name, member.filename)
        if _COMPILED in f"/{member.filename}" and member.filename.endswith(_COMPILED_SUFFIXES):
            what = f"holds {shown(member.filename)!r}, native code that torch builds or loads with the model"
            part.look.code(part.name, "compiled-code", what, "Save the program with torch.export.save in its place.")
        if stat.S_ISLNK(member.external_attr >> 16):
            _look_at_link(part, archive, member)
        if not member.filename.endswith("/"):
            known: Format | None = _STORAGE if _is_of(_TORCH_STORAGE, member.filename, roots) else None
            if _is_of(_TORCH_WEIGHTS, member.filename, exports):
                known = _WEIGHTS
            if member.filename.endswith(".py") and member.filename.partition("code/")[0] in scripts:
                known = _SCRIPT
            _read_member(part, archive, member, f"{part.name}!{prefix}{called(member.filename)}", known, python)
    python.end()


def _look_at_link(part: Part, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """A link, whose content is where it leads: some programs make it when they unpack the archive."""
    with contextlib.suppress(*ERRORS), archive.open(member) as stream:
        if leads_out(stream.read(_LINK_BYTES).decode("utf-8", "replace")):
            part.look.escape(part.name, member.filename)


def _is_of(pattern: re.Pattern[str], name: str, roots: set[str]) -> bool:
    """Whether torch reads this member as the numbers of a tensor."""
    place = pattern.fullmatch(name)
    return place is not None and place[1] in roots


def _read_member(
    part: Part,
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    name: str,
    known: Format | None,
    python: ArchivedPython,
) -> None:
    if member.flag_bits & _FLAGS_REFUSED:
        # loaders that do not look at these bits read it all the same
        member.flag_bits &= ~_FLAGS_REFUSED
        part.look.incomplete(name, "it is marked as encrypted, or as a patch of another file")
    try:
        if not _is_called_alike(archive, member):
            part.look.ambiguous(name, "its local header gives it another name than the directory")
        with archive.open(member) as stream:
            unchecked = cast("Any", stream)
            unchecked._expected_crc = None  # noqa: SLF001 - some loaders do not look at it, and load what zipfile refuses
            content = _Summed(cast("ByteStream", stream))
            is_compiled = known is _SCRIPT and not python.loader  # by torch, from its own dialect
            passed = content if is_compiled else python.passed(content, member.filename, name)
            part.open(passed, name, part.depth + 1, known=known)
            if content.has_ended and content.sum != member.CRC:
                part.look.incomplete(name, "its checksum is that of other bytes")
    except ERRORS as error:
        part.look.incomplete(name, f"it cannot be unpacked: {plain(error)}")


def _is_called_alike(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    """Whether both headers of a member have one name; zipfile is led to read one with two, as other loaders do."""
    file = cast("IO[bytes]", archive.fp)
    file.seek(member.header_offset)
    local = file.read(_LOCAL_HEADER)
    written = file.read(int.from_bytes(local[26:28], "little"))
    try:
        name = written.decode("utf-8" if member.flag_bits & _FLAG_UTF8 else "cp437")
    except UnicodeDecodeError:
        name = written.decode("cp437")
        member.flag_bits &= ~_FLAG_UTF8
    is_alike = name == member.orig_filename
    member.orig_filename = name
    return is_alike


def _look_at_gaps(part: Part, file: IO[bytes], archive: zipfile.ZipFile, places: list[tuple[int, int]]) -> None:
    """Bytes that belong to no member, and bytes that belong to two: readers that find members otherwise see others."""
    at = 0
    for begin, end in places:
        if begin < at:
            part.look.ambiguous(part.name, "members lie upon each other")
            break
        if begin > at and not _is_filling(file, at, begin):
            where = "in front of" if at == 0 else "between"
            part.look.ambiguous(part.name, f"bytes {where} its members belong to none of them")
            break
        at = max(at, end)
    else:
        directory = archive.start_dir
        if not _is_filling(file, at, directory):
            part.look.ambiguous(part.name, "bytes between its members and its directory belong to neither")


def _places(file: IO[bytes], members: list[zipfile.ZipInfo]) -> list[tuple[int, int]]:
    found = []
    for member in members:
        if member.header_offset < 0:  # the record puts the directory behind the end
            continue
        file.seek(member.header_offset)
        local = file.read(_LOCAL_HEADER)
        if len(local) < _LOCAL_HEADER:
            continue
        length = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        begin = member.header_offset
        found.append((begin, begin + _LOCAL_HEADER + length + member.compress_size))
    return found


def _is_filling(file: IO[bytes], begin: int, end: int) -> bool:
    """Whether a gap holds nothing but a data descriptor or zeros."""
    if end - begin <= _DESCRIPTOR_MAX:
        return True
    file.seek(begin + _DESCRIPTOR_MAX)
    left = end - begin - _DESCRIPTOR_MAX
    while left > 0:
        piece = file.read(min(left, _PIECE))
        if not piece:
            return True
        if piece.count(0) != len(piece):
            return False
        left -= len(piece)
    return True


def _other_directories(part: Part, file: IO[bytes], ends: list[int]) -> None:
    """Archives by each end of a directory that belongs to no member: other readers may take it."""
    for number, end in enumerate(ends[-_DIRECTORIES_MAX:]):
        try:
            other = zipfile.ZipFile(Slice(file, 0, end))
        except ERRORS:
            continue
        with other:
            members = other.infolist()
            if not members:
                continue
            part.look.ambiguous(part.name, "it has more than one directory")
            _read_members(part, other, members, prefix=f"directory {number + 1}!")


def _directory_at_its_word(part: Part, file: IO[bytes], ends: list[int], found: int) -> None:
    """The directory where the last record says that it is, when zipfile found it by its size at another place."""
    if not ends:
        return
    file.seek(ends[-1] - _END_BYTES)
    record = file.read(_END_BYTES)
    size, offset = int.from_bytes(record[12:16], "little"), int.from_bytes(record[16:20], "little")
    if offset in {found, _ZIP64}:
        return
    try:
        other = zipfile.ZipFile(Slice(file, 0, offset + size, record))
    except ERRORS:
        return
    with other:
        part.look.ambiguous(part.name, "it has more than one directory")
        _read_members(part, other, other.infolist(), prefix="directory at its word!")


def _records(file: IO[bytes]) -> tuple[list[int], int]:
    """Where the records end that may be the last of an archive, comments left out; and how many entries it may have."""
    import numpy as np  # noqa: PLC0415 - not every folder holds an archive

    ends: list[int] = []
    entries = before = 0
    tail = b""
    file.seek(0)
    while piece := file.read(_COMPARED):
        data = tail + piece
        values = np.frombuffer(data, dtype=np.uint8)
        for at in np.flatnonzero((values[:-3] == _MARK[0]) & (values[1:-2] == _MARK[1])).tolist():
            mark = data[at : at + 4]
            if mark == _ENTRY:
                entries += 1
            elif mark == END:
                ends.append(before - len(tail) + at + _END_BYTES)
                del ends[: -2 * _DIRECTORIES_MAX]
        before += len(piece)
        tail = data[-3:]
    return ends, entries


class _Summed:
    """A stream with the checksum of what was read of it."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.sum = 0
        self.has_ended = False

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.sum = zlib.crc32(data, self.sum)
        self.has_ended |= not data
        return data
