"""Find pickles that lie anywhere in bytes that are no text: numbers, pictures, what no reader knows.

Every pickle gets its first global from literal text: two lines behind `c` or `i`, or a string from which plain opcodes
lead to STACK_GLOBAL. These are looked for; nothing is run from a guessed start, since bytes in front would shift the
memo and hide the global. Comparisons of whole blocks find where such a text may begin; each of these places is then
matched exactly. How far a string is followed, and how often in a megabyte, is bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mop.scanning.pickles.arguments import raw_unicode, unescaped
from mop.scanning.pickles.known_globals import Kind, is_dangerous_module, judge, may_be_dangerous
from mop.scanning.pickles.values import Global

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW = 256 * 1024
"""Bytes that are looked at together; a string and its STACK_GLOBAL lie within `_REACH` of each other."""
_REACH = 4096
_STEPS = 64
"""Opcodes between a string and its STACK_GLOBAL."""
_FOLLOWED_PER_MIB = 5_000
"""Numbers have less than one; bytes that have more are made to cost time."""
_JUDGED_PER_MIB = 50_000
"""Pairs of lines that may name something dangerous; a list of words has few."""
_BLOCK = 64 * 1024
"""Bytes that are compared at once, so that all of it stays in the processor's cache."""
_AHEAD = 16
"""Bytes behind a place that tell whether a text may begin there."""
_LINE_BYTES = 101
"""Of a module or a name in a pair of lines."""

_NAME = rb"[A-Za-z_][A-Za-z0-9_.]*"
_BY_STRINGS: Final = {
    0x8C: re.compile(rb"\x8c[\x02-\x64][A-Za-z_][A-Za-z0-9_.]"),
    ord("X"): re.compile(rb"X[\x02-\x64]\0\0\0[A-Za-z_]"),
    ord("U"): re.compile(rb"U[\x02-\x64][A-Za-z_][A-Za-z0-9_.]"),
    ord("T"): re.compile(rb"T[\x02-\x64]\0\0\0[A-Za-z_]"),
    0x8D: re.compile(rb"\x8d[\x02-\x64]\0\0\0\0\0\0\0[A-Za-z_]"),
    ord("V"): re.compile(rb"V[A-Za-z_\\][A-Za-z0-9_.\\]{1,100}\n"),
    ord("S"): re.compile(rb"S['\"][A-Za-z_\\][A-Za-z0-9_.\\]{1,100}['\"]\n"),
}
_SECOND_LINE = re.compile(rb"([A-Za-z_][A-Za-z0-9_.]{0,100})\n")
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
_NO_NAME = bytes(0 if byte not in _LETTERS + b"0123456789." else 1 for byte in range(256))
_BY_LINES = frozenset(b"ci")
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
_STACK_GLOBAL, _SHORT_BINUNICODE, _BINUNICODE8 = b"\x93\x8c\x8d"
_SHORTEST, _LONGEST = 2, 100
"""Of the name of a module in a string."""


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
        self._done = 0  # bytes of the buffer in which every text that begins there was looked at
        self._before = begin
        self._follows = 0
        self._judged = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk."""
        self._buffer = self._buffer + chunk if self._buffer else chunk
        if len(self._buffer) >= WINDOW:
            self._look(len(self._buffer) - _REACH)

    def end(self) -> None:
        """Look at the rest."""
        self._look(len(self._buffer))

    def _look(self, until: int) -> None:
        """Look at places before `until`; keep what comes after, and the line that it may belong to."""
        buffer = self._buffer
        for place in _places(buffer, self._done, until):
            pattern = _BY_STRINGS.get(buffer[place])
            if pattern is not None and pattern.match(buffer, place):
                self._by_string(place)
            if buffer[place + 2 : place + 3] == b"\n":
                self._by_lines(place + 2)
        kept = max(0, until - _LINE_BYTES - 1)
        self._before += kept
        self._buffer = buffer[kept:]
        self._done = until - kept

    def _by_lines(self, line_end: int) -> None:
        """Every module that a `c` or `i` in the name before this end of a line may begin, with the name behind it."""
        second = _SECOND_LINE.match(self._buffer, line_end + 1)
        if second is None:
            return
        begin = max(0, line_end - _LINE_BYTES - 1)
        line = self._buffer[begin:line_end]
        own = line.translate(_NO_NAME).rfind(0) + 1
        for at in range(own, len(line) - 1):
            if line[at] not in _BY_LINES or line[at + 1] not in _LETTERS:
                continue
            name = Global(line[at + 1 :].decode(), second[1].decode())
            if not may_be_dangerous(name):
                continue
            self._judged += 1
            if self._judged > _JUDGED_PER_MIB * self._mebibytes():
                self.is_costly = True
                return
            self._note(name, begin + at)

    def _by_string(self, place: int) -> None:
        name, after = _string(self._buffer, place)
        if name is None or not _FULL_NAME.fullmatch(name) or not is_dangerous_module(name.decode()):
            return
        self._follows += 1
        if self._follows > _FOLLOWED_PER_MIB * self._mebibytes():
            self.is_costly = True
            return
        found = self._follow(name.decode(), after)
        if found is not None:
            self._note(found, place)

    def _mebibytes(self) -> int:
        return 1 + (self._before + len(self._buffer)) // 2**20

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


def _places(buffer: bytes, begin: int, until: int) -> list[int]:
    """Where a text that names a global may begin, by necessary conditions that are quick to tell.

    A place is that of a string's opcode, or of the last two bytes of a first line. A few comparisons of whole blocks
    leave less than a hundredth of the places of numbers; the rest of the conditions is asked of these alone.
    """
    import numpy as np  # noqa: PLC0415 - not every folder holds bytes that are searched

    data = np.frombuffer(buffer + bytes(max(0, until + _AHEAD - len(buffer))), dtype=np.uint8)
    room = _Room()
    candidates = [
        np.flatnonzero(room.may_begin(data[start : min(start + _BLOCK, until) + _AHEAD])) + start
        for start in range(begin, until, _BLOCK)
    ]
    if not candidates:
        return []
    at = np.concatenate(candidates)
    places: list[int] = at[_may_begin(data, at)].tolist()
    return places


class _Room:
    """Room for the comparisons of a few blocks: taking it anew for each comparison would double their time."""

    def __init__(self) -> None:
        import numpy as np  # noqa: PLC0415 - as above

        self._np = np
        self._low = np.empty(_BLOCK + _AHEAD, dtype=np.bool_)
        self._shifted = np.empty(_BLOCK, dtype=np.uint8)
        self._one = np.empty(_BLOCK, dtype=np.bool_)
        self._other = np.empty(_BLOCK, dtype=np.bool_)

    def may_begin(self, data: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """For each byte but the last `_AHEAD`: whether what stands there and behind it allows a text to begin there.

        There is the opcode of a string, or a line ends at the second byte behind it; and the three bytes behind it are
        none above z, which holds of lengths, zeros, quotes and names.
        """
        np, count = self._np, len(data) - _AHEAD
        low, shifted, one, other = self._low, self._shifted[:count], self._one[:count], self._other[:count]
        first = data[:count]
        np.subtract(first, ord("S"), out=shifted)
        np.less_equal(shifted, ord("X") - ord("S"), out=one)  # S, T, U, V, X, and W
        np.bitwise_and(first, 0xFE, out=shifted)
        np.equal(shifted, _SHORT_BINUNICODE, out=other)  # and BINUNICODE8
        np.logical_or(one, other, out=one)
        np.equal(data[2 : count + 2], ord("\n"), out=other)
        np.logical_or(one, other, out=one)
        np.less_equal(data[: count + 4], ord("z"), out=low[: count + 4])
        for ahead in (1, 2, 3):
            np.logical_and(one, low[ahead : count + ahead], out=one)
        return one


def _may_begin(data: NDArray[np.uint8], at: NDArray[np.intp]) -> NDArray[np.bool_]:
    """For each of these places: whether a text may begin there."""
    first, second, third, fourth = (data[at + ahead] for ahead in range(4))
    third_in_a_name, fourth_in_a_name = _in_a_name(third), _in_a_name(fourth)
    # SHORT_BINUNICODE and U: a byte of length, then the name
    short: NDArray[np.bool_] = (first == _SHORT_BINUNICODE) | (first == ord("U"))
    short &= _may_begin_a_name(third) & fourth_in_a_name
    # X and T: four bytes of length; BINUNICODE8: eight
    long = ((first == ord("X")) | (first == ord("T"))) & _may_begin_a_name(data[at + 5])
    long |= (first == _BINUNICODE8) & _may_begin_a_name(data[at + 9])
    short |= long & (third == 0) & (fourth == 0)
    short &= (second - _SHORTEST) <= _LONGEST - _SHORTEST
    # V and S: a line
    line = (first == ord("V")) & _may_begin_a_name(second) & third_in_a_name
    line &= fourth_in_a_name | (fourth == ord("\n"))
    quoted = (first == ord("S")) & _may_begin_a_name(third) & fourth_in_a_name
    # c and i: the end of the first line between two names
    lines = (third == ord("\n")) & _may_begin_a_name(fourth) & _in_a_name(second) & _in_a_name(first)
    short |= line
    short |= quoted
    short |= lines
    return short


def _may_begin_a_name(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """With the underscore and an escape's backslash."""
    return (data - ord("A")) <= ord("z") - ord("A")


def _in_a_name(data: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """With digits and dots."""
    return (data - ord(".")) <= ord("z") - ord(".")


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
