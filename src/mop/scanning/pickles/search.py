"""Find pickles that lie anywhere in a file, whatever stands around them."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass

from mop.scanning.pickles.known_globals import Kind, kind_of
from mop.scanning.pickles.machine import GETATTRS, BrokenPickleError, Global, TooLongError, Trace, run
from mop.scanning.reader import Reader

WINDOW = 64 * 1024
"""How far behind its start a pickle within other bytes is followed."""

_HEADED = re.compile(rb"\x80[\x02-\x05]")
_NAME = rb"[A-Za-z_][A-Za-z0-9_.]{0,100}"
_BY_LINES = re.compile(rb"[ci](%s)\n(%s)\n" % (_NAME, _NAME))
_LINES_BYTES = 256
"""More than `_BY_LINES` can match."""
_BY_STRINGS = re.compile(
    rb"(?:\x8c[\x01-\x64]|X[\x01-\x64]\0\0\0)(%s)(?:\x94|q.|r....|p\d+\n)?"
    rb"(?:\x8c[\x01-\x64]|X[\x01-\x64]\0\0\0)(%s)(?:\x94|q.|r....|p\d+\n)?\x93" % (_NAME, _NAME),
    re.DOTALL,
)


@dataclass(frozen=True)
class Hit:
    """A global that a pickle within the bytes looks up."""

    name: Global
    position: int


class Search:
    """Watches the chunks of a stream; `hits` grows while they pass.

    Only what would run code is a hit: any other bytes may look like a harmless pickle by chance.
    """

    def __init__(self) -> None:
        self.hits: list[Hit] = []
        self._names: set[Global] = set()
        self._buffer = b""
        self._before = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk."""
        self._buffer += chunk
        if len(self._buffer) > 2 * WINDOW:
            self._look(len(self._buffer) - WINDOW)

    def end(self) -> None:
        """Look at the rest."""
        self._look(len(self._buffer))

    def _look(self, until: int) -> None:
        """Look for starts before `until`, and keep what comes after."""
        buffer = self._buffer
        for match in _HEADED.finditer(buffer, 0, until + 1):  # what begins later is looked for with the next chunk
            self._follow(match.start(), needs_call=False)
        for match in _BY_LINES.finditer(buffer, 0, until + _LINES_BYTES):
            if match.start() >= until:
                break
            self._by_lines(match)
        for match in _BY_STRINGS.finditer(buffer):
            if match.start() >= until:
                break
            name = Global(match[1].decode(), match[2].decode())
            if name not in GETATTRS:  # bound methods name it, and only a whole pickle tells
                self._note(name, match.start())
        self._before += until
        self._buffer = buffer[until:]

    def _by_lines(self, match: re.Match[bytes]) -> None:
        name = Global(match[1].decode(), match[2].decode())
        if kind_of(name) != Kind.DANGEROUS:
            return
        self._follow(match.start(), needs_call=True, marked=match[0][:1] == b"i")

    def _follow(self, start: int, *, needs_call: bool, marked: bool = False) -> None:
        trace = Trace()
        with contextlib.suppress(BrokenPickleError, TooLongError):
            run(Reader(io.BytesIO(self._buffer[start : start + WINDOW])), trace, marked=marked)
        # lines of text can look like names; text that goes on to call them, and to an end, is no text
        if (trace.calls and (trace.ended or not marked)) or not needs_call:
            for lookup in trace.lookups:
                self._note(lookup.name, start + lookup.position)

    def _note(self, name: Global, position: int) -> None:
        if kind_of(name) == Kind.DANGEROUS and name not in self._names:
            self._names.add(name)
            self.hits.append(Hit(name, self._before + position))
