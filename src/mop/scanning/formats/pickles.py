"""Pickles, with a header and without one."""

from __future__ import annotations

from mop.scanning.formats.base import Format, Head, Part
from mop.scanning.pickles.judging import tell_of_danger, tell_of_trace
from mop.scanning.pickles.known_globals import Kind, judge, kind_of
from mop.scanning.pickles.machine import AmbiguousError, BrokenPickleError, CostlyError, TooLongError, run
from mop.scanning.pickles.search import Search
from mop.scanning.pickles.values import Oddity, Trace, Use
from mop.scanning.reader import ByteStream, Reader

PROTOCOLS = 6
WINDOW = 64 * 1024
"""Of a part of another format, for whether it is a pickle as well."""
LONG_WINDOW = 16 * 1024**2
"""When a text leads an unpickler out of the first one."""
_PIECE = 1024**2
_FEW_OPCODES = 3
_BEGINNINGS_MAX = 16
"""Of one pickle. Each can be read as a pickle of its own, so a search reads the rest once for each of them."""
_TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_BEGINS = frozenset(b"(]})NIJKLMSTUVXBCGFc\x80\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96\x97")
"""Opcodes that an unpickler can begin with; not PERSID: a loader that knows persistent ids knows zip by its start."""


class Pickle(Format):
    """A pickle by its header; several in a row, as torch's old format writes them."""

    name = "pickle, joblib, torch (old format)"
    runs = "any class or function that it names is imported, and what it calls is called"
    seen = "every global and every call, by CPython's own rules, in every pickle of the file"
    urgency = 0

    def recognises(self, head: Head) -> bool:
        """PROTO and a protocol that there is."""
        return len(head.data) > 1 and head.data[0] == 0x80 and head.data[1] < PROTOCOLS  # noqa: PLR2004 - PROTO

    def examine(self, part: Part) -> None:
        """Follow each pickle to its end."""
        has_raw_tail = part.reader.peek(16)[2:].startswith(_TORCH_MAGIC)
        follow_all(part, has_raw_tail=has_raw_tail)


def follow_all(part: Part, *, has_raw_tail: bool = False) -> None:
    """Follow the pickles of a part, one after the other, and tell what they do.

    Args:
        part: stands at the first opcode of a pickle.
        has_raw_tail: other bytes may follow the last pickle.
    """
    trace, broken = _follow(part)
    tell_of_trace(part.look, part.name, trace)
    part.followed = part.reader.position if not broken else 0
    while not broken and part.reader.peek(1):
        if not part.look.take_member(part.name):
            search_rest(part)
            return
        start = part.reader.position
        window = part.reader.peek(WINDOW)
        if _breaks_at_once(window):
            if not has_raw_tail:
                part.look.incomplete(part.name, f"bytes that are no pickle follow the pickle that ends at byte {start}")
            search_rest(part)
            return
        trace, broken = _follow(part)
        tell_of_trace(part.look, part.name, trace)
        part.followed = part.reader.position if not broken else start
        if broken and has_raw_tail and not trace.sights:
            search_rest(part)
            return
    if broken:
        search_rest(part)
        part.look.incomplete(part.name, f"the pickle is not read to its end: {broken}")


def search_rest(part: Part, before: bytes = b"") -> None:
    """Search what no reader follows, to the end of the part; `before` was taken from its reader already."""
    search = Search(part.reader.position - len(before))
    search.feed(before)
    while piece := part.reader.read(_PIECE):
        search.feed(piece)
    search.end()
    tell_of_search(part, search)


def tell_of_search(part: Part, search: Search) -> None:
    """Findings for what a search met behind what was followed."""
    if search.is_costly:
        part.look.costly(part.name, "it holds more signs of pickles than a scan follows")
    for hit in search.hits:
        if hit.position >= part.followed:
            tell_of_danger(part.look, part.name, hit.name, hit.position, judge(hit.name).reason)


def pickle_at_the_beginning(part: Part, *, is_text: bool) -> Trace | None:
    """What an unpickler meets in a part of another format; None when it meets nothing that counts.

    Lines of text can look like names: they count when something is called.
    """
    for size in (WINDOW, LONG_WINDOW):
        window = part.reader.peek(size)
        if not window or window[0] not in _BEGINS:
            return None
        trace, goes_on = _meet(window)
        if not goes_on or len(window) < size:
            break
    else:
        part.look.incomplete(part.name, f"it can be read as a pickle that goes on for over {LONG_WINDOW:,} bytes")
    if is_text:
        return trace if trace.names() and _calls(trace) else None
    dangerous = any(kind_of(name) == Kind.DANGEROUS for name in trace.names())
    return trace if _calls(trace) or (trace.names() and (trace.ended or dangerous)) else None


def _meet(window: bytes) -> tuple[Trace, bool]:
    """What an unpickler meets, and whether it goes on behind the window."""
    trace = Trace()
    reader = Reader(Window(window))
    has_ended = False
    try:
        while reader.peek(1):  # another may follow
            trace.ended = False
            run(reader, trace, arrays=False)
            has_ended = True
    except BrokenPickleError:
        goes_on = not reader.peek(1)
    except (TooLongError, AmbiguousError):
        goes_on = True
    else:
        goes_on = False
    trace.ended = has_ended
    return trace, goes_on


def _calls(trace: Trace) -> bool:
    return any(sight.use != Use.NAMED for sight in trace.sights.values()) or bool(
        trace.oddities.keys() - {Oddity.EXTENSION} and trace.names()
    )


class Window:
    """Bytes as a stream."""

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)

    def read(self, size: int, /) -> bytes:
        """Take at most so many."""
        data, self._content = self._content[:size], self._content[size:]
        return bytes(data)


def _follow(part: Part) -> tuple[Trace, str]:
    """One pickle, and why a loader or the scan stops in it, if so."""
    trace = Trace()
    broken = _run(part, trace)
    if trace.beginnings > _BEGINNINGS_MAX:
        part.look.costly(part.name, f"a pickle that begins {trace.beginnings:,} times")
    return trace, broken


def _run(part: Part, trace: Trace) -> str:
    def embedded(content: bytes, position: int) -> None:
        if part.look.take_member(part.name):
            stream: ByteStream = Window(content)
            part.open(stream, f"{part.name}!bytes at {position}", part.depth + 1)

    try:
        run(part.reader, trace, embedded=embedded)
    except BrokenPickleError:
        return "a loader would stop in the middle"
    except CostlyError as error:
        part.look.costly(part.name, str(error))
        return str(error)
    except TooLongError:
        return "it is longer than a scan follows, or holds an array whose length cannot be told"
    except AmbiguousError as error:
        part.look.ambiguous(part.name, str(error))
        return str(error)
    return ""


def _breaks_at_once(window: bytes) -> bool:
    trace = Trace()
    try:
        run(Reader(Window(window)), trace, arrays=False)
    except BrokenPickleError:
        # one that a long text leads out of the window is followed for good
        return not trace.sights and not trace.oddities and trace.opcodes < _FEW_OPCODES
    except (TooLongError, AmbiguousError):
        return False
    return False
