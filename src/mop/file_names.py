"""Names that strangers chose: what a path inside a model folder may look like."""

from __future__ import annotations

import unicodedata

SEGMENT_BYTES = 255
PATH_BYTES = 1024

_REFUSED_CATEGORIES = {"Cc": "a control character", "Zl": "a line separator", "Zp": "a paragraph separator"}
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SHOWN_CHARACTERS = 120


def name_fault(path: str) -> str | None:
    """What is wrong with one relative path, or None."""
    return _path_fault(path) or next(filter(None, map(_segment_fault, path.split("/"))), None)


def quoted(path: str) -> str:
    """The path for a message: on one line, printable ASCII escapes where needed, bounded."""
    return shortened(ascii(path) if name_fault(path) else repr(path))


def _path_fault(path: str) -> str | None:
    if not path or path.startswith("/"):
        return "the name is absolute" if path else "the name is empty"
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "the name is not valid UTF-8"
    if len(encoded) > PATH_BYTES:
        return f"the path is longer than {PATH_BYTES} bytes"
    for character in path:
        if (kind := _refused_character(character)) is not None:
            return f"the name holds {kind} (U+{ord(character):04X})"
    return None


def _segment_fault(segment: str) -> str | None:
    if not segment:
        return "the path has an empty segment"
    if segment in {".", ".."}:
        return f"the path has the segment {segment!r}"
    if len(segment.encode()) > SEGMENT_BYTES:
        return f"the name is longer than {SEGMENT_BYTES} bytes"
    return None


def _refused_character(character: str) -> str | None:
    if character == "\\":
        return "a backslash"
    if character in _BIDIRECTIONAL:
        return "a character that reorders text"
    return _REFUSED_CATEGORIES.get(unicodedata.category(character))


def shortened(text: str) -> str:
    """A text of strangers, bounded for a message."""
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
