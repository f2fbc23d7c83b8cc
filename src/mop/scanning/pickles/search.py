"""Find pickles that lie anywhere in bytes that are no text: numbers, pictures, what no reader knows.

Every pickle gets its first global from literal text: two lines behind `c` or `i`, or a string from which plain opcodes
lead to STACK_GLOBAL. These are looked for; nothing is run from a guessed start, since bytes in front would shift the
memo and hide the global. Each pattern begins with one literal byte, which
`re` finds at the speed of memory; how far a string is followed, and how often in a megabyte, is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mop.scanning.pickles.arguments import raw_unicode, unescaped
from mop.scanning.pickles.known_globals import Kind, is_dangerous_module, judge
from mop.scanning.pickles.values import Global

WINDOW = 256 * 1024
"""Bytes that are looked at together; a string and its STACK_GLOBAL lie within `_REACH` of each other."""
_REACH = 4096
_STEPS = 64
"""Opcodes between a string and its STACK_GLOBAL."""
_FOLLOWED_PER_MIB = 5_000
"""Numbers have less than one; bytes that have more are made to cost time."""

_NAME = rb"[A-Za-z_][A-Za-z0-9_.]*"
_BY_LINES = tuple(
    re.compile(code + rb"([A-Za-z_][A-Za-z0-9_.]{0,100})\n([A-Za-z_][A-Za-z0-9_.]{0,100})\n") for code in (b"c", b"i")
)
_BY_STRINGS = (
    re.compile(rb"\x8c[\x02-\x64][A-Za-z_][A-Za-z0-9_.]"),
    re.compile(rb"X[\x02-\x64]\0\0\0[A-Za-z_]"),
    re.compile(rb"U[\x02-\x64][A-Za-z_][A-Za-z0-9_.]"),
    re.compile(rb"T[\x02-\x64]\0\0\0[A-Za-z_]"),
    re.compile(rb"\x8d[\x02-\x64]\0\0\0\0\0\0\0[A-Za-z_]"),
    re.compile(rb"V[A-Za-z_\\][A-Za-z0-9_.\\]{1,100}\n"),
    re.compile(rb"S['\"][A-Za-z_\\][A-Za-z0-9_.\\]{1,100}['\"]\n"),
)
_FULL_NAME = re.compile(_NAME)
_LENGTH_BYTES: Final = {0x8C: 1, 0x55: 1, 0x58: 4, 0x54: 4, 0x8D: 8, 0x43: 1, 0x42: 4, 0x8E: 8}
_FIXED: Final = {  # opcodes that push, drop or keep a value, with the bytes of their argument
    **dict.fromkeys(b"0(2N)]}\x94\x88\x89\x8f\x85\x86\x87ltd1e", 0),
    **dict.fromkeys(b"qhK\x80", 1),
    **dict.fromkeys(b"M", 2),
    **dict.fromkeys(b"rjJ", 4),
    **dict.fromkeys(b"G\x95", 8),
}
_LINES: Final = frozenset(b"pgVSIFL")
_STACK_GLOBAL: Final = 0x93


@dataclass(frozen=True)
class Hit:
    """A global that a pickle within the bytes looks up; its name is empty when only the module could be told."""

    name: Global
    position: int


class Search:
    """Watches the chunks of a stream, from its byte `begin` on; `hits` grows while they pass.

    Only what is dangerous is a hit: any other bytes may look like a harmless pickle by chance.
    """

    def __init__(self, begin: int = 0) -> None:
        self.hits: list[Hit] = []
        self.is_costly = False
        self._names: set[Global] = set()
        self._buffer = b""
        self._before = begin
        self._follows = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk."""
        self._buffer = self._buffer + chunk if self._buffer else chunk
        if len(self._buffer) >= WINDOW:
            self._look(len(self._buffer) - _REACH)

    def end(self) -> None:
        """Look at the rest."""
        self._look(len(self._buffer))

    def _look(self, until: int) -> None:
        """Look for anchors before `until`, and keep what comes after."""
        for pattern in _BY_LINES:
            self._each(pattern, until, self._by_lines)
        for pattern in _BY_STRINGS:
            self._each(pattern, until, self._by_string)
        self._before += until
        self._buffer = self._buffer[until:]

    def _each(self, pattern: re.Pattern[bytes], until: int, take: Callable[[re.Match[bytes]], None]) -> None:
        for match in pattern.finditer(self._buffer):
            if match.start() >= until:
                return
            take(match)

    def _by_lines(self, match: re.Match[bytes]) -> None:
        self._note(Global(match[1].decode(), match[2].decode()), match.start())

    def _by_string(self, match: re.Match[bytes]) -> None:
        name, after = _string(self._buffer, match.start())
        if name is None or not _FULL_NAME.fullmatch(name) or not is_dangerous_module(name.decode()):
            return
        self._follows += 1
        if self._follows > _FOLLOWED_PER_MIB * (1 + (self._before + len(self._buffer)) // 2**20):
            self.is_costly = True
            return
        found = self._follow(name.decode(), after)
        if found is not None:
            self._note(found, match.start())

    def _follow(self, module: str, at: int) -> Global | None:
        """The global whose module is the string before `at`, if plain opcodes lead from there to STACK_GLOBAL."""
        buffer, last, begin = self._buffer, "", at
        for _ in range(_STEPS):
            if at >= len(buffer) or at - begin > _REACH:
                return None
            code = buffer[at]
            if code == _STACK_GLOBAL:
                return Global(module, last or "*")
            if code in _LENGTH_BYTES or code in _LINES:
                text, at = _string(buffer, at)
                if text and _FULL_NAME.fullmatch(text):
                    last = text.decode()
            elif code in _FIXED:
                at += 1 + _FIXED[code]
            else:
                return None
        return None

    def _note(self, name: Global, position: int) -> None:
        if name not in self._names and judge(name).kind == Kind.DANGEROUS:
            self._names.add(name)
            self.hits.append(Hit(name, self._before + position))


def _string(buffer: bytes, at: int) -> tuple[bytes | None, int]:
    """The text of a string opcode, when it is short, and where the next opcode stands."""
    code = buffer[at]
    if code in _LENGTH_BYTES:
        size = _LENGTH_BYTES[code]
        length = int.from_bytes(buffer[at + 1 : at + 1 + size], "little")
        begin = at + 1 + size
        return (buffer[begin : begin + length] if length <= _REACH else None), begin + length
    end = buffer.find(b"\n", at, at + _REACH)
    if end < 0:
        return None, len(buffer)
    text = buffer[at + 1 : end]
    if b"\\" in text:
        value = unescaped(text[1:-1]) if code == ord("S") else raw_unicode(text)
        return (value.encode("utf-8", "replace") if isinstance(value, str) else None), end + 1
    return (text[1:-1] if code == ord("S") else text), end + 1
