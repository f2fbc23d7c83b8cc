"""GGUF, of llama.cpp: key and value pairs, then raw numbers."""

from __future__ import annotations

import struct

from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.formats.templates import tell_of_long_template, tell_of_template
from mop.scanning.reader import Reader

_PAIRS_MAX = 100_000
_TENSORS_MAX = 1_000_000
_TEMPLATE_BYTES = 1024**2
_KEY_BYTES = 64 * 1024
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_DEPTH_MAX = 8
_DIMENSIONS_MAX = 8


class Gguf(Format):
    """By its magic, in either order of bytes, from version 2 on."""

    name = "GGUF"
    runs = "chat templates, where a program renders them outside of Jinja's sandbox"
    seen = "every key and value, templates, the list of tensors; a search of the numbers"
    is_searched = True
    urgency = 2

    def recognises(self, head: Head) -> bool:
        """By the magic."""
        return head.data.startswith(b"GGUF")

    def examine(self, part: Part) -> None:
        """Read the pairs and the list of tensors."""
        _Gguf(part).read()


class _Gguf:
    def __init__(self, part: Part) -> None:
        self._part = part
        self._reader: Reader = part.reader
        self._order = "<"

    def read(self) -> None:
        self._reader.exactly(4)
        version = self._reader.exactly(4)
        if version[0] == 0:
            self._order = ">"
        if self._number("I", version) not in {2, 3}:
            self._part.look.incomplete(self._part.name, "a version of GGUF that MOP does not read")
            return
        tensors, pairs = self._take("Q"), self._take("Q")
        if pairs > _PAIRS_MAX or tensors > _TENSORS_MAX:
            raise ValueError("too many keys or tensors")
        for _ in range(pairs):
            key = self._string(_KEY_BYTES)
            self._value(key.decode("utf-8", "replace"), self._take("I"), 0)
        for _ in range(tensors):
            self._string(_KEY_BYTES)
            dimensions = self._take("I")
            if dimensions > _DIMENSIONS_MAX:
                raise ValueError("a tensor of too many dimensions")
            self._reader.exactly(8 * dimensions + 4 + 8)

    def _value(self, key: str, kind: int, depth: int) -> None:
        if kind == _STRING:
            text = self._string(_TEMPLATE_BYTES)
            if "template" in key:
                tell_of_template(self._part, text.decode("utf-8", "replace"))
                if len(text) == _TEMPLATE_BYTES:
                    tell_of_long_template(self._part)
        elif kind == _ARRAY:
            inner, count = self._take("I"), self._take("Q")
            if inner in _SIZES:
                self._reader.skip(_SIZES[inner] * count)
                return
            if depth >= _DEPTH_MAX:
                raise ValueError("arrays within each other")
            for _ in range(count):
                self._value(key, inner, depth + 1)
        elif kind in _SIZES:
            self._reader.exactly(_SIZES[kind])
        else:
            raise ValueError("a value of an unknown kind")

    def _string(self, most: int) -> bytes:
        length = self._take("Q")
        if length <= most:
            return self._reader.exactly(length)
        kept = self._reader.exactly(most)
        self._reader.skip(length - most)
        return kept

    def _take(self, kind: str) -> int:
        return self._number(kind, self._reader.exactly(struct.calcsize(f"<{kind}")))

    def _number(self, kind: str, data: bytes) -> int:
        value: int = struct.unpack(f"{self._order}{kind}", data)[0]
        return value
