"""The abstract machine tells exactly what an unpickler would look up, and what it would call."""

from __future__ import annotations

import contextlib
import io
import pickle
import pickletools
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.scanning.pickles.known_globals import Kind, kind_of
from mop.scanning.pickles.machine import AmbiguousError, BrokenPickleError, run
from mop.scanning.pickles.values import Oddity, Trace, Use
from mop.scanning.reader import Reader
from security.hostile import MARK, STOP, call, named, text

ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner, inner, inner) | st.sets(ATOMS)
    ),
    max_leaves=30,
)


def follow(content: bytes) -> Trace:
    trace = Trace()
    run(Reader(io.BytesIO(content)), trace)
    return trace


def names(trace: Trace) -> list[str]:
    return [str(name) for name in trace.names()]


def used(trace: Trace, use: Use) -> list[str]:
    return [str(sight.name) for sight in trace.sights.values() if sight.use == use]


@given(value=VALUES, protocol=st.integers(0, 5))
def test_every_pickle_of_plain_values_is_followed_to_its_end(value: Any, protocol: int):
    content = pickle.dumps(value, protocol)
    trace = follow(content)
    assert trace.ended
    assert trace.opcodes == sum(1 for _ in pickletools.genops(content))
    assert all(name.split(".")[0] in {"builtins", "__builtin__", "_codecs", "copyreg"} for name in names(trace))
    assert all(kind_of(name) == Kind.HARMLESS for name in trace.names())
    assert trace.oddities == {}


@given(content=st.binary(max_size=300))
def test_any_bytes_end_or_break_and_nothing_else(content: bytes):
    trace = Trace()
    try:
        run(Reader(io.BytesIO(content)), trace)
    except (BrokenPickleError, AmbiguousError):
        assert not trace.ended
    else:
        assert trace.ended


@given(keys=st.lists(st.integers(0, 6), max_size=12))
def test_the_memo_counts_as_a_loader_counts(keys: list[int]):
    """After any puts, MEMOIZE takes the key that a loader takes: the value comes back by it."""
    puts = b"".join(text(f"v{number}") + b"q" + bytes([key]) + b"0" for number, key in enumerate(keys))
    expected = len(set(keys))
    content = b"\x80\x04" + puts + text("os") + b"0" + text("system") + b"\x940"
    content += text("posix") + b"h" + bytes([expected]) + b"\x93" + STOP
    real = pickle.loads(content)  # noqa: S301 - written above
    assert names(follow(content)) == [f"{real.__module__}.{real.__name__}"]


@pytest.mark.parametrize("protocol", range(6))
def test_classes_and_functions_are_told_with_their_place(protocol: int):
    content = pickle.dumps([OrderedDict(a=1), datetime(2026, 1, 1, tzinfo=UTC)], protocol)
    trace = follow(content)
    assert {"collections.OrderedDict", "datetime.datetime", "datetime.timezone"} <= set(names(trace))
    for sight in trace.sights.values():
        if sight.use == Use.NAMED:
            assert content[sight.position : sight.position + 1] in {b"c", b"\x93"}


def test_a_lookup_is_told_also_when_the_pickle_breaks_behind_it():
    trace = Trace()
    with pytest.raises(BrokenPickleError):
        run(Reader(io.BytesIO(b"\x80\x04cos\nsystem\n\xff")), trace)
    assert names(trace) == ["os.system"]


@pytest.mark.parametrize(
    ("opcodes", "module", "name"),
    [
        (b"I0x10\n0" + named("os", "system"), "os", "system"),
        (b"L0b11L\n0" + named("os", "system"), "os", "system"),
        (b"I1_0\n0" + named("os", "system"), "os", "system"),
        (b"Fnan\n0" + named("os", "system"), "os", "system"),
        (b"S'\\x6fs'\nS\"system\"\n\x93", "os", "system"),
        (b"V\\u006fs\nVsystem\n\x93", "os", "system"),
        (b"S'" + b"a" * 100_000 + b"'\n0" + named("os", "system"), "os", "system"),
        (b"V" + b"a" * 100_000 + b"\n0" + named("os", "system"), "os", "system"),
        (text("os") + b"p007\n0" + text("system") + b"p1\n0g7\ng01\n\x93", "os", "system"),
        (b"(0" + named("os", "system"), "os", "system"),
        (b"(1" + named("os", "system"), "os", "system"),
    ],
)
def test_what_the_unpickler_accepts_is_read_as_it_reads_it(opcodes: bytes, module: str, name: str):
    assert restricted(opcodes + STOP, pickle.Unpickler) == {(module, name)}
    assert names(follow(opcodes + STOP)) == [f"{module}.{name}"]


def test_the_last_line_needs_no_end_for_the_unpickler_in_python():
    content = MARK + b"S'a'\nios\nsystemX"
    assert restricted(content, pickle._Unpickler) == {("os", "system")}  # type: ignore[attr-defined]
    trace = Trace()
    with pytest.raises(BrokenPickleError):
        run(Reader(io.BytesIO(content)), trace)
    assert used(trace, Use.CALLED) == ["os.system"]


def test_a_line_over_the_end_of_a_frame_is_read_in_two_ways():
    content = b"\x80\x04\x95" + (9).to_bytes(8, "little") + b"cos\nabcdesystem\n."
    assert restricted(content, pickle.Unpickler) == {("os", "system")}
    with pytest.raises(AmbiguousError):
        run(Reader(io.BytesIO(content)), Trace())


def test_getattr_leads_to_a_method_or_to_an_inner_class_and_is_told_as_such():
    get = named("builtins", "getattr")
    method = follow(b"\x80\x04" + call(get, call(named("datetime", "date")), text("today")) + STOP)
    assert used(method, Use.ATTRIBUTE) == ["datetime.date.today"]
    inner = follow(b"\x80\x02" + call(get, named("a", "Outer"), text("Inner")) + b")\x81" + STOP)
    assert used(inner, Use.CREATED) == ["a.Outer.Inner"]
    path = follow(b"\x80\x04" + call(get, call(get, named("os", "path"), text("os")), text("system")) + STOP)
    assert used(path, Use.ATTRIBUTE) == ["os.path.os", "os.path.os.system"]
    assert method.oddities == inner.oddities == path.oddities == {}


@pytest.mark.parametrize(
    ("body", "oddity"),
    [
        (call(named("builtins", "getattr"), b"]", text("append")), Oddity.COMPUTED_ATTRIBUTE),
        (call(named("builtins", "getattr"), named("a", "b"), call(named("a", "c"))), Oddity.COMPUTED_ATTRIBUTE),
        (call(call(named("functools", "partial"), named("a", "b"))), Oddity.COMPUTED_CALL),
        (call(named("copyreg", "__newobj__"), call(named("a", "b"))), Oddity.COMPUTED_CALL),
        (call(named("builtins", "type"), text("X"), b")", b"}"), Oddity.MADE_CLASS),
        (call(named("copyreg", "__newobj__"), named("builtins", "type"), text("X"), b")", b"}"), Oddity.MADE_CLASS),
        (named("a", "b") + b"}b", Oddity.CHANGED_GLOBAL),
        (text("a") + call(named("builtins", "str"), text("b")) + b"\x93", Oddity.COMPUTED_NAME),
        (b"\x82\x01", Oddity.EXTENSION),
    ],
)
def test_what_no_ordinary_pickle_does_is_told(body: bytes, oddity: Oddity):
    assert oddity in follow(b"\x80\x04" + body + STOP).oddities


def test_creating_differs_from_calling():
    created = follow(b"\x80\x04" + named("a", "C") + b")\x81" + STOP)
    through = follow(b"\x80\x04" + call(named("copyreg", "__newobj__"), named("a", "C")) + STOP)
    called = follow(b"\x80\x04" + named("a", "C") + b")R" + STOP)
    assert used(created, Use.CREATED) == used(through, Use.CREATED) == used(called, Use.CALLED) == ["a.C"]
    assert used(created, Use.CALLED) == []


def test_bytes_that_another_call_may_load_are_handed_on():
    inner = pickle.dumps({"a": 1}, 4)
    taken: list[bytes] = []
    run(
        Reader(io.BytesIO(pickle.dumps([b"x" * 9, inner], 4))),
        Trace(),
        embedded=lambda content, _position: taken.append(content),
    )
    assert taken == [inner]


# The real unpicklers ----------------------------------------------------------------------------------------


class Anything:
    """Stands for every class and function that is looked up: any call of it and any state is fine."""

    def __new__(cls, *_arguments: Any, **_names: Any) -> Self:
        return object.__new__(cls)

    def __call__(self, *_arguments: Any) -> Anything:
        return self

    def __setstate__(self, _state: Any) -> None:
        """Whatever it is."""

    def append(self, _item: Any) -> None:
        """Whatever it is."""

    def extend(self, _items: Any) -> None:
        """Whatever they are."""

    add = append
    update = extend

    def __setitem__(self, _key: Any, _value: Any) -> None:
        """Whatever they are."""


def restricted(content: bytes, unpickler: type) -> set[tuple[str, str]]:
    """What a real unpickler looks up; nothing is imported."""
    found: set[tuple[str, str]] = set()

    class Restricted(unpickler):  # type: ignore[misc]
        def find_class(self, module: str, name: str) -> type:
            if "\0" in module:  # as every import does
                raise ModuleNotFoundError(module)
            found.add((module, name))
            return Anything

        def persistent_load(self, _identifier: Any) -> Anything:
            return Anything()

    try:
        Restricted(io.BytesIO(content)).load()
    except Exception:  # noqa: BLE001 - the unpickler raises what it likes
        return found
    return found


def _lines(letter: bytes, values: list[bytes]) -> list[bytes]:
    return [letter + value + b"\n" for value in values]


@pytest.mark.parametrize("name", ["a\0b", "code/util.py" + "\0" * 90 + "ustar" + "\0" * 5_000])
@pytest.mark.parametrize("load", [pickle.loads, pickle._loads])  # type: ignore[attr-defined]
def test_no_module_has_a_zero_in_its_name(name: str, load: Any):
    content = b"c" + name.encode() + b"\nsystem\n(tR."
    with pytest.raises(ModuleNotFoundError):
        load(content)
    trace = Trace()
    with pytest.raises(BrokenPickleError):
        run(Reader(io.BytesIO(content)), trace)
    assert not trace.sights
    assert not trace.oddities


WORDS = ("os", "system", "a.b", "posix", "Outer", "x")
OPCODES = st.sampled_from(
    [
        *(text(word) for word in WORDS),
        *(b"\x8c" + bytes([len(word)]) + word.encode() for word in WORDS),
        *(b"U" + bytes([len(word)]) + word.encode() for word in WORDS),
        *(b"\x8d" + len(word).to_bytes(8, "little") + word.encode() for word in WORDS),
        *_lines(b"S", [b"'os'", b'"system"', b"'\\x6fs'", b"os", b"'\\q'", b"'"]),
        *_lines(b"V", [b"os", b"\\u006fs", b"\\", b"system"]),
        *_lines(b"I", [b"1", b"00", b"01", b"0x1f", b" 7 ", b"1_0", b"010", b"", b"-3"]),
        *_lines(b"L", [b"1L", b"0b1L", b"-5", b"L", b"0o7"]),
        *_lines(b"F", [b"1.5", b"nan", b"x"]),
        *_lines(b"g", [b"0", b"1", b"07", b"-1", b"x"]),
        *_lines(b"p", [b"0", b"1", b"07", b"2"]),
        *_lines(b"P", [b"id"]),
        *(letter + b"os\nsystem\n" for letter in (b"c", b"i")),
        *(b"h" + bytes([key]) for key in range(4)),
        *(b"q" + bytes([key]) for key in range(4)),
        *(b"\x80" + bytes([protocol]) for protocol in (0, 2, 4, 9)),
        b"j\x01\0\0\0",
        b"r\x03\0\0\0",
        b"K\x01",
        b"M\x01\0",
        b"J\x01\0\0\0",
        b"\x8a\x01\x05",
        b"\x8b\x01\0\0\0\x05",
        b"G" + bytes(8),
        b"B\x02\0\0\0ab",
        b"C\x02ab",
        b"\x95" + (20).to_bytes(8, "little"),
        *(bytes([code]) for code in b"(.012NQR]})abdelostu\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94"),
    ]
)
PROGRAMS = st.lists(OPCODES, max_size=40).map(b"".join)
PICKLED = st.sampled_from(
    [
        pickle.dumps(value, protocol)
        for protocol in range(6)
        for value in (
            [OrderedDict(a=1), datetime(2026, 1, 1, tzinfo=UTC)],
            {"a": [1, 2.5, None, "é" * 300], (1, 2): {3, frozenset({4})}, "k": 1j},
            [Oddity.EXTENSION, Use.CALLED, "os", "system", b"x" * 300],
        )
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A pickle of real values in which some bytes are changed, doubled or gone."""
    content = bytearray(draw(PICKLED))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(content)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            content[place:place] = draw(OPCODES)
        elif kind == 1:
            del content[place : place + draw(st.integers(1, 9))]
        elif kind == 2:
            content[place : place + 1] = bytes([draw(st.integers(0, 255))])
        else:
            content[place:place] = content[draw(st.integers(0, len(content))) :][:9]
    return bytes(content)


def _holds(content: bytes, unpickler: type) -> None:
    """Everything that the real one looks up, the machine tells: by its name, or as a name that is computed."""
    trace = Trace()
    with contextlib.suppress(BrokenPickleError):
        try:
            run(Reader(io.BytesIO(content)), trace, arrays=False)
        except AmbiguousError:
            return
    told = {(name.module, name.name) for name in trace.names()}
    assert restricted(content, unpickler) <= told


@given(content=PROGRAMS)
def test_the_machine_looks_up_what_the_unpickler_in_c_looks_up(content: bytes):
    _holds(content, pickle.Unpickler)


@given(content=PROGRAMS | mutated())
def test_the_machine_looks_up_what_the_unpickler_in_python_looks_up(content: bytes):
    # a buffer of a size that a mutation chose would be allocated before it is read
    _holds(content.replace(b"\x96", b"C"), pickle._Unpickler)  # type: ignore[attr-defined]


@given(content=PROGRAMS)
def test_a_pickle_that_a_real_unpickler_ends_the_machine_ends_too(content: bytes):
    class Restricted(pickle.Unpickler):
        def find_class(self, module: str, _name: str) -> Any:
            if "\0" in module:
                raise ModuleNotFoundError(module)
            return Anything

        def persistent_load(self, _identifier: Any) -> Any:
            return Anything()

    file = io.BytesIO(content)
    try:
        Restricted(file).load()
    except Exception:  # noqa: BLE001 - the unpickler raises what it likes
        return
    reader = Reader(io.BytesIO(content))
    trace = Trace()
    try:
        run(reader, trace, arrays=False)
    except AmbiguousError:
        return
    assert trace.ended
    assert reader.position == file.tell()
