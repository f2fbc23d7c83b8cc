"""Tar in every dialect that tarfile reads."""

from __future__ import annotations

import tarfile
from typing import IO, Any, cast

from mop.scanning.findings import Severity
from mop.scanning.formats.archived_python import ArchivedPython
from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.member_names import called, leads_out
from mop.scanning.formats.pickles import search_rest
from mop.scanning.look import plain, shown
from mop.scanning.reader import CHUNK, Reader, Slice

_BLOCK = 512


class Tar(Format):
    """By the checksum of its first header, as tarfile knows it: the oldest dialect has no mark."""

    name = "tar, .nemo"
    runs = (
        "members that lead out of the folder that it is unpacked to; what its members run, Python that is imported too"
    )
    seen = "every member's name and content, Python by its syntax tree"
    urgency = 1

    def recognises(self, head: Head) -> bool:
        """A header whose checksum fits."""
        block = head.data[:_BLOCK]
        if len(block) < _BLOCK or not any(block):
            return False
        try:
            tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            return False
        return True

    def examine(self, part: Part) -> None:
        """Read each member."""
        if not part.look.may_open(part.name, part.depth):
            return
        stream = _Remembered(part.reader)
        try:
            rest = self._members(part, stream)
        except tarfile.TarError as error:
            part.look.incomplete(part.name, f"it breaks off: {plain(error)}")
            search_rest(part)
            return
        is_filling = not any(rest)
        while is_filling and (piece := part.reader.peek(CHUNK)):
            is_filling = piece.count(0) == len(piece)
            if is_filling:
                part.reader.skip(len(piece))
        if not is_filling:
            part.look.ambiguous(part.name, "other bytes follow the archive, which some readers take for more of it")
            search_rest(part, rest)

    def _members(self, part: Part, stream: _Remembered) -> bytes:
        """Read each member; what was read of what stands behind the last."""
        python = ArchivedPython(part)
        with tarfile.open(fileobj=cast("Any", stream), mode="r|") as archive:
            try:
                for member in archive:
                    archive.members = []  # type: ignore[attr-defined]  # it would keep them all
                    if not part.look.take_member(part.name):
                        return b""
                    python.saw(member.name)
                    self._read_member(part, archive, member, python)
            finally:
                python.end()
            return stream.since(cast("Any", archive).offset)

    def _read_member(
        self, part: Part, archive: tarfile.TarFile, member: tarfile.TarInfo, python: ArchivedPython
    ) -> None:
        if leads_out(member.name) or ((member.issym() or member.islnk()) and leads_out(member.linkname)):
            part.look.escape(part.name, member.name)
        if member.isdev():
            part.look.odd(
                part.name,
                "special-member",
                Severity.HIGH,
                f"holds {shown(member.name)!r}, a device or a pipe, which would be made when it is unpacked",
                "Pack the archive anew with files and folders alone.",
            )
        content = archive.extractfile(member) if member.isreg() else None
        if content is None:
            return
        name = f"{part.name}!{called(member.name)}"
        file = _whole(part, member)
        stream = python.passed(cast("Any", content), member.name, name)
        part.open(stream, name, part.depth + 1, file=file, size=member.size if file else None)


class _Remembered:
    """A reader with the last that was read of it: tarfile reads on behind the end of an archive."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._count = 0
        self._last = (b"", b"")

    def read(self, size: int) -> bytes:
        """At most so many bytes."""
        data = self._reader.read(size)
        self._count += len(data)
        self._last = (self._last[1], data)
        return data

    def since(self, place: int) -> bytes:
        """What was read from a place on, which is in the last two pieces."""
        kept = b"".join(self._last)
        return kept[max(0, len(kept) - (self._count - place)) :]


def _whole(part: Part, member: tarfile.TarInfo) -> IO[bytes] | None:
    """A member for random access, when it lies in one piece in a file that allows it."""
    if part.file is None or member.issparse():
        return None
    return cast("IO[bytes]", Slice(part.file, member.offset_data, member.size))
