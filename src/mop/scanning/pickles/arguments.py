"""Arguments of opcodes, read as far as any of Python's unpicklers reads them.

The unpickler in C and the one in Python differ in small things, and what they refuse depends on values. Where one of
them goes on this goes on: a value that cannot be told is opaque, and only the end of the bytes ends a run.
"""

from __future__ import annotations

import codecs
import struct
import warnings
from collections.abc import Callable
from typing import Any

from mop.scanning.pickles.values import OPAQUE
from mop.scanning.reader import Reader

KEPT_BYTES = 256
"""Of one text; a longer one is opaque."""
_NUMBER_BYTES = 16
_DIGITS = 4300  # Python itself refuses to read longer decimal numbers

Read = Callable[[Reader], Any]


def _nothing(_reader: Reader) -> None:
    return None


def number(layout: str) -> Read:
    """A number of fixed size."""
    if layout == "<B":
        return Reader.byte
    form = struct.Struct(layout)
    unpack, size = form.unpack, form.size
    return lambda reader: unpack(reader.exactly(size))[0]


def _text(layout: str, encoding: str) -> Read:
    length_of = number(layout)

    def read(reader: Reader) -> Any:
        length = length_of(reader)
        if length < 0:
            raise EOFError
        if length > KEPT_BYTES:
            reader.skip(length)
            return OPAQUE
        return decoded(reader.exactly(length), encoding)

    return read


def _short_text(encoding: str) -> Read:
    def read(reader: Reader) -> Any:
        return decoded(reader.short(), encoding)

    return read


def _long(layout: str) -> Read:
    length_of = number(layout)

    def read(reader: Reader) -> Any:
        length = length_of(reader)
        if length < 0:
            raise EOFError
        if length > _NUMBER_BYTES:
            reader.skip(length)
            return OPAQUE
        return int.from_bytes(reader.exactly(length), "little", signed=True)

    return read


def decoded(data: bytes, encoding: str) -> Any:
    """A text; opaque where the bytes are none."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        pass
    try:
        return data.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError:
        return OPAQUE


NO_MODULE = "\0"
"""In the name of no module that can be imported."""


def _line(reader: Reader) -> bytes | None:
    """A line without its last byte, whatever that is, as Python's readers take it; None for a long one."""
    data = reader.line(KEPT_BYTES + 2)
    return data[:-1] if len(data) <= KEPT_BYTES + 1 else None


def _integer(reader: Reader) -> Any:
    """INT and LONG: a number of Python's in any base, or one of INT's two truths."""
    data = reader.line(_DIGITS + 3)
    if data in {b"00\n", b"01\n"}:
        return data == b"01\n"
    text = data[:-1].strip(b" \t\v\f\r\n\0").removesuffix(b"L")
    try:
        return int(text, 0)
    except ValueError:
        return OPAQUE


def _key(reader: Reader) -> Any:
    """The argument of GET and PUT."""
    data = reader.line(_DIGITS + 2)
    try:
        return int(data[:-1])
    except ValueError:
        raise EOFError from None


def _quoted(reader: Reader) -> Any:
    """STRING: a literal in quotes with escapes."""
    text = _line(reader)
    if text is None:
        return OPAQUE
    text = text.strip(b" \t\v\f\r\n")
    if len(text) < 2 or text[0] != text[-1] or text[:1] not in {b"'", b'"'}:  # noqa: PLR2004 - the quotes
        raise EOFError
    return unescaped(text[1:-1])


def unescaped(text: bytes) -> Any:
    """What is written between the quotes of STRING."""
    if b"\\" in text:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # an escape that Python does not know stays as it is
            try:
                text = codecs.escape_decode(text)[0]
            except ValueError:
                return OPAQUE
    return decoded(text, "ascii")


def raw_unicode(text: bytes) -> Any:
    """What is written in the line of UNICODE."""
    return decoded(text, "raw_unicode_escape")


def _raw_unicode(reader: Reader) -> Any:
    text = _line(reader)
    return OPAQUE if text is None else raw_unicode(text)


def _name(reader: Reader) -> Any:
    try:
        data = reader.line(KEPT_BYTES + 2)
    except EOFError:  # the unpickler in Python takes an empty line
        data = b""
    if len(data) > KEPT_BYTES + 1:
        return NO_MODULE if b"\0" in data else OPAQUE
    return decoded(data[:-1], "utf-8")


def _two_names(reader: Reader) -> tuple[Any, Any]:
    return _name(reader), _name(reader)


def _skipped_line(reader: Reader) -> None:
    reader.line(1)


NOTHING = _nothing
"""Reads the argument of an opcode that has none."""
READS: dict[str, Read] = {
    "": NOTHING,
    "uint1": number("<B"),
    "uint2": number("<H"),
    "int4": number("<i"),
    "uint4": number("<I"),
    "uint8": number("<Q"),
    "float8": lambda reader: reader.skip(8),
    "decimalnl_short": _integer,
    "decimalnl_long": _integer,
    "floatnl": _skipped_line,
    "stringnl": _quoted,
    "stringnl_noescape": _skipped_line,
    "stringnl_noescape_pair": _two_names,
    "unicodestringnl": _raw_unicode,
    "string1": _short_text("latin-1"),
    "string4": _text("<i", "latin-1"),
    "unicodestring1": _short_text("utf-8"),
    "unicodestring4": _text("<I", "utf-8"),
    "unicodestring8": _text("<Q", "utf-8"),
    "long1": _long("<B"),
    "long4": _long("<i"),
}
"""By the name that pickletools gives the argument; the lengths of bytes are in `LENGTHS`, the keys of a memo `KEY`."""

LENGTHS: dict[str, Read] = {
    "bytes1": number("<B"),
    "bytes4": number("<I"),
    "bytes8": number("<Q"),
    "bytearray8": number("<Q"),
}
KEY = _key
