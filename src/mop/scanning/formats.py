"""What a file is, by its first bytes; its name says nothing."""

from __future__ import annotations

import enum


class Format(enum.StrEnum):
    """Formats that a scan treats differently."""

    ZIP = "zip"
    TAR = "tar"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZLIB = "zlib"
    NPY = "npy"
    PICKLE = "pickle"
    NATIVE = "native code"
    BYTECODE = "Python bytecode"
    UNREADABLE = "unreadable archive"
    OTHER = "other"


_STARTS: tuple[tuple[bytes, Format], ...] = (
    (b"PK\x03\x04", Format.ZIP),
    (b"PK\x05\x06", Format.ZIP),
    (b"\x1f\x8b", Format.GZIP),
    (b"BZh", Format.BZIP2),
    (b"\xfd7zXZ\0", Format.XZ),
    (b"]\0\0", Format.XZ),  # lzma alone
    (b"\x93NUMPY", Format.NPY),
    (b"\x7fELF", Format.NATIVE),
    (b"MZ", Format.NATIVE),
    (b"\xcf\xfa\xed\xfe", Format.NATIVE),
    (b"\xca\xfe\xba\xbe", Format.NATIVE),
    (b"7z\xbc\xaf\x27\x1c", Format.UNREADABLE),
    (b"Rar!\x1a\x07", Format.UNREADABLE),
    (b"\x28\xb5\x2f\xfd", Format.UNREADABLE),  # zstandard
    (b"\x04\x22\x4d\x18", Format.UNREADABLE),  # lz4
    (b"\x02\x21\x4c\x18", Format.UNREADABLE),  # lz4, legacy
    (b"\xff\x06\0\0sNaPpY", Format.UNREADABLE),
    (b"LZIP", Format.UNREADABLE),
    (b"\x1f\x9d", Format.UNREADABLE),  # compress
    (b"\x1f\xa0", Format.UNREADABLE),
    (b"MSCF", Format.UNREADABLE),
    (b"xar!", Format.UNREADABLE),
    (b"\xed\xab\xee\xdb", Format.UNREADABLE),  # rpm
    (b"!<arch>", Format.UNREADABLE),
)
_ZLIB_SECOND = {0x01, 0x5E, 0x9C, 0xDA}
_TAR_MARK = 257
_BYTECODE_MAGIC = b"\r\n"
_BYTECODE_FLAGS = {0, 1, 2, 3}


def format_of(head: bytes) -> Format:
    """The format by at least the first 512 bytes of a file, or all of a shorter one."""
    for start, found in _STARTS:
        if head.startswith(start):
            return found
    if head[_TAR_MARK : _TAR_MARK + 5] == b"ustar":
        return Format.TAR
    if len(head) > 1 and head[0] == 0x78 and head[1] in _ZLIB_SECOND:  # noqa: PLR2004 - RFC 1950, a window of 32 KiB
        return Format.ZLIB
    if len(head) > 1 and head[0] == 0x80 and head[1] <= 5:  # noqa: PLR2004 - PROTO and the protocols that there are
        return Format.PICKLE
    if _is_bytecode(head):
        return Format.BYTECODE
    return Format.OTHER


def _is_bytecode(head: bytes) -> bool:
    """A `.pyc`: two bytes of a version, a line end, flags, and the marshalled code object after 16 bytes."""
    if len(head) < 17 or head[2:4] != _BYTECODE_MAGIC:  # noqa: PLR2004 - its header and one byte
        return False
    return int.from_bytes(head[4:8], "little") in _BYTECODE_FLAGS and head[16] & 0x7F == ord("c")
