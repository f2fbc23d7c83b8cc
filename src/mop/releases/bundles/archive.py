"""The file format of bundles: a tar archive of regular files alone, each header the only one there is for its file.

A header follows from a file's path and size: fixed mode, owner and time; POSIX's extended header (pax) where the path
or the size does not fit the plain one. The reader makes the header itself and compares it byte by byte, so there is
nothing to interpret: no links, no devices, no sparse files, no second name.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mop.file_names import quoted

BLOCK = 512
END = bytes(2 * BLOCK)
_CHUNK = 1 << 20
_EXTENDED_BYTES_MAX = 16 * BLOCK
_EXTENDED_FIELDS = {"path", "size"}
_DIGITS_MAX = 19
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a pipe",
    b"S": "a sparse file",
    b"L": "a name in GNU's form",
    b"K": "a link's name in GNU's form",
    b"g": "a header for all files",
}


class BundleError(ValueError):
    """A bundle cannot be accepted; the text says why."""


@dataclass(frozen=True)
class Entry:
    """A file of an archive: its path, and its size in bytes."""

    path: str
    size: int


def header(entry: Entry) -> bytes:
    """What stands before a file's content."""
    info = tarfile.TarInfo(entry.path)
    info.size, info.mode, info.mtime = entry.size, 0o644, 0
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def padding(size: int) -> bytes:
    """What stands behind a file's content."""
    return bytes(-size % BLOCK)


def length(entry: Entry) -> int:
    """How many bytes a file takes in the archive."""
    return len(header(entry)) + entry.size + len(padding(entry.size))


class Readable(Protocol):
    """What is read from its beginning to its end."""

    def read(self, count: int, /) -> bytes:
        """Up to so many of the next bytes; none at the end."""


class ArchiveReader:
    """Reads an archive from its beginning to its end, once."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._left = 0
        self._padding = 0

    def next(self) -> Entry | None:
        """The next file; None at the end of the archive, behind which nothing stands.

        Raises:
            BundleError: the archive is cut short, or holds what bundles do not hold.
        """
        if self._left:
            raise RuntimeError("the last file was not read")
        first = self._take(BLOCK)
        if first == END[:BLOCK]:
            if self._take(BLOCK) != END[BLOCK:]:
                raise BundleError("the end of the archive is malformed")
            if self._file.read(1):
                raise BundleError("something stands behind the end of the archive")
            return None
        entry, raw = self._parsed(first)
        try:
            expected = header(entry)
        except (ValueError, UnicodeError) as error:
            raise BundleError(f"the header of {quoted(entry.path)} is malformed") from error
        if raw != expected:
            raise BundleError(f"the header of {quoted(entry.path)} is not the one that bundles have")
        self._left, self._padding = entry.size, len(padding(entry.size))
        return entry

    def chunks(self) -> Iterator[bytes]:
        """The content of the file that `next` gave.

        Raises:
            BundleError: the archive is cut short.
        """
        while self._left:
            chunk = self._take(min(self._left, _CHUNK))
            self._left -= len(chunk)
            yield chunk
        if self._take(self._padding) != bytes(self._padding):
            raise BundleError("something stands between two files")
        self._padding = 0

    def _parsed(self, first: bytes) -> tuple[Entry, bytes]:
        kind = first[156:157]
        if kind not in (b"0", b"x"):
            path = _text(first[:100])
            raise BundleError(f"{quoted(path)} is {_KINDS.get(kind, 'of an unknown kind')}; bundles hold files alone")
        if kind == b"0":
            prefix, name = _text(first[345:500]), _text(first[:100])
            return Entry(f"{prefix}/{name}" if prefix else name, _number(first[124:136])), first
        size = _number(first[124:136])
        if size > _EXTENDED_BYTES_MAX:
            raise BundleError(f"a header of {size:,} bytes is longer than any that bundles have")
        extended = self._take(size + len(padding(size)))
        fields = _fields(extended[:size])
        second = self._take(BLOCK)
        if second[156:157] != b"0":
            path = fields.get("path", "")
            raise BundleError(
                f"{quoted(path)} is {_KINDS.get(second[156:157], 'of an unknown kind')}; bundles hold files alone"
            )
        path = fields.get("path", _text(second[:100]))
        given = fields.get("size", "")
        if given and not (given.isdecimal() and given.isascii() and len(given) <= _DIGITS_MAX):
            raise BundleError("a size in a header is no number")
        return Entry(path, int(given) if given else _number(second[124:136])), first + extended + second

    def _take(self, count: int) -> bytes:
        found = bytearray()
        while len(found) < count:
            chunk = self._file.read(count - len(found))
            if not chunk:
                raise BundleError("the file is cut short")
            found += chunk
        return bytes(found)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")


def _number(field: bytes) -> int:
    text = field.strip(b" \0")
    if not text or set(text) - set(b"01234567"):
        raise BundleError("a size in a header is no number")
    return int(text, 8)


def _fields(raw: bytes) -> dict[str, str]:
    """The records of an extended header: `LENGTH KEY=VALUE` and a line feed."""
    found: dict[str, str] = {}
    while raw:
        digits, _, _ = raw.partition(b" ")
        if not digits.isdigit() or len(digits) > _DIGITS_MAX or not len(digits) < int(digits) <= len(raw):
            raise BundleError("an extended header is malformed")
        record, raw = raw[: int(digits)], raw[int(digits) :]
        key, equals, value = record[len(digits) + 1 :].decode("utf-8", "replace").partition("=")
        if not equals or not value.endswith("\n") or key not in _EXTENDED_FIELDS or key in found:
            raise BundleError("an extended header holds what bundles do not hold")
        found[key] = value[:-1]
    return found
