"""HDF5, as Keras and PyTables write it."""

from __future__ import annotations

import re

from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.json_text import JsonTokens
from mop.scanning.limits import MIB

_MARK = b"\x89HDF\r\n\x1a\n"
_JSON = re.compile(rb'\{\s*"[\w\\]{1,40}"\s*:')
_PIECE = 4 * MIB
_OVERLAP = 64
_JSON_BYTES = 64 * MIB


class Hdf5(Format):
    """By its mark. Its tree is not followed: what is a text in it is read where it lies."""

    name = "HDF5: Keras .h5, PyTables"
    runs = "Lambda layers and classes that Keras' configuration names; pickles in attributes, which PyTables loads"
    seen = "each JSON text in the file by its tokens; a search of all of it for pickles; its tree is not followed"
    is_searched = True
    urgency = 2

    def recognises(self, head: Head) -> bool:
        """By the mark at its beginning."""
        return head.data.startswith(_MARK)

    def examine(self, part: Part) -> None:
        """Read each text that begins like an object of JSON, to the zero behind it."""
        left = _JSON_BYTES
        while window := part.reader.peek(_PIECE):
            match = _JSON.search(window)
            if match is None:
                part.reader.skip(len(window) - _OVERLAP if len(window) == _PIECE else len(window))
                continue
            part.reader.skip(match.start())
            text = part.reader.peek(_PIECE)
            text = text[: text.find(b"\0")] if b"\0" in text else text
            tokens = JsonTokens(part)
            tokens.feed(text.decode("utf-8", "replace"))
            tokens.end()
            part.reader.skip(len(text))
            left -= max(len(text), _OVERLAP)
            if left <= 0:
                part.look.incomplete(part.name, f"over {_JSON_BYTES:,} bytes of configuration")
                return
