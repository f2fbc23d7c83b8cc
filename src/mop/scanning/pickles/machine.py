"""Run a pickle without running it: an abstract machine over its opcodes.

A pickle is a straight line of opcodes for a stack machine (pickletools describes each). Nothing branches, so every
global that a loader would look up can be told exactly by following the stack and the memo with symbolic values, but
for names that the pickle computes by calling something; those are told as such. Long strings and buffers are skipped,
not kept. What joblib writes between opcodes (the raw bytes of an array after the wrapper that describes it) is skipped
by the same arithmetic that joblib uses, or the run stops there.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from mop.scanning.reader import Reader

KEPT_BYTES = 4096
KEPT_ITEMS = 64
KEPT_DIGITS = 20
LINE_BYTES = 64 * 1024
MEMO_ENTRIES = 1_000_000
OPCODES_MAX = 20_000_000


class BrokenPickleError(Exception):
    """A loader would stop here with an error."""


class TooLongError(Exception):
    """The pickle has more opcodes, or a larger memo, than a scan follows."""


class _Opaque:
    """A value that nobody needs to know."""

    def __repr__(self) -> str:
        return "?"


OPAQUE: Final = _Opaque()
_MARK: Final = object()


@dataclass(frozen=True)
class Global:
    """A class or function that is looked up by name; `name` may hold dots."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass
class Made:
    """What a call gave: its callable, its arguments, and the state that was set on it."""

    callable: Any
    arguments: Any
    state: Any = None


@dataclass(frozen=True)
class Lookup:
    """A global that a loader would import, and at which byte."""

    name: Global
    position: int


@dataclass
class Trace:
    """What a run met.

    Attributes:
        lookups: globals, in their order; each once for each name.
        oddities: what no ordinary pickle does, each with its position.
        calls: whether anything is called at all.
        opcodes: how many were followed.
        ended: whether the run came to its STOP.
    """

    lookups: list[Lookup] = field(default_factory=list)
    oddities: list[tuple[str, int]] = field(default_factory=list)
    calls: bool = False
    opcodes: int = 0
    ended: bool = False


def run(reader: Reader, trace: Trace, *, marked: bool = False) -> None:
    """Follow one pickle to its STOP; the trace holds what was met, also when this raises.

    Args:
        reader: stands at its first opcode.
        trace: is filled.
        marked: begin behind a mark, as in the middle of a pickle.

    Raises:
        BrokenPickleError: an opcode does not exist, its argument is cut off, or the stack does not fit.
        TooLongError: it is longer than a scan follows.
    """
    machine = _Machine(reader, trace)
    if marked:
        machine.push(_MARK)
    machine.run()


class _Machine:
    def __init__(self, reader: Reader, trace: Trace) -> None:
        self._reader = reader
        self._trace = trace
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._dense = 0  # every key below this one is taken
        self._sparse: set[int] = set()  # and these above
        self._seen: set[Global] = set()
        self._position = 0
        self._getattrs = 0  # on the stack, not yet called for a method of a plain object

    def run(self) -> None:
        reader, trace = self._reader, self._trace
        try:
            while not trace.ended:
                self._position = reader.position
                code = reader.byte()
                trace.opcodes += 1
                if trace.opcodes > OPCODES_MAX:
                    raise TooLongError
                read, act = _TABLE[code]
                act(self, read(reader))
        except (EOFError, KeyError, IndexError, ValueError, UnicodeDecodeError, struct.error) as error:
            raise BrokenPickleError(str(error)) from error
        finally:
            self._excuse_getattr()

    # Stack -------------------------------------------------------------------------------------------------

    def push(self, value: Any) -> None:
        if isinstance(value, Global) and value in GETATTRS:
            self._getattrs += 1
        self._stack.append(value)

    def pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value is needed")
        return value

    def pop_to_mark(self) -> list[Any]:
        stack = self._stack
        at = len(stack) - 1
        while stack[at] is not _MARK:
            if at == 0:
                raise ValueError("no mark")
            at -= 1
        values = stack[at + 1 :]
        del stack[at:]
        return values

    def top(self) -> Any:
        value = self._stack[-1]
        if value is _MARK:
            raise ValueError("a mark where a value is needed")
        return value

    def put(self, key: Any) -> None:
        if not isinstance(key, int) or key < 0:
            raise ValueError("no key of a memo")
        value = self.top()
        if value is OPAQUE:
            self._memo.pop(key, None)
        else:
            self._memo[key] = value
        if key == self._dense:
            self._dense += 1
            while self._dense in self._sparse:
                self._sparse.remove(self._dense)
                self._dense += 1
        elif key > self._dense:
            self._sparse.add(key)
        if len(self._memo) + len(self._sparse) > MEMO_ENTRIES:
            raise TooLongError

    def memoize(self) -> None:
        """Put at the key that is the number of keys so far, as loaders do."""
        self.put(self._dense + len(self._sparse))

    def get(self, key: int) -> None:
        self.push(self._memo.get(key, OPAQUE))

    # Globals and calls -------------------------------------------------------------------------------------

    def look_up(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            self.odd("looks up a name that it computes")
            self.push(OPAQUE)
            return
        found = Global(module, name)
        if found not in self._seen:
            self._seen.add(found)
            self._trace.lookups.append(Lookup(found, self._position))
        self.push(found)

    def odd(self, what: str) -> None:
        if (what, self._position) not in self._trace.oddities[-1:]:
            self._trace.oddities.append((what, self._position))

    def call(self, function: Any, arguments: Any) -> None:
        self._trace.calls = True
        if not isinstance(function, Global):
            self.odd("calls what it computed")
        if function in GETATTRS and _is_method_of_object(arguments):
            self._getattrs -= 1
        self.push(Made(function, arguments))

    def _excuse_getattr(self) -> None:
        """A bound method pickles as getattr(object, name). Used for nothing else, getattr is no lookup to tell of."""
        if self._getattrs == 0:
            self._trace.lookups[:] = [lookup for lookup in self._trace.lookups if lookup.name not in GETATTRS]

    def build(self, state: Any) -> None:
        made = self.top()
        self._trace.calls = True
        if isinstance(made, Global):
            self.odd(f"changes {made} itself")
        if isinstance(made, Made):
            made.state = state
            if made.callable in _ARRAY_WRAPPERS:
                self._skip_array(state)

    def _skip_array(self, state: Any) -> None:
        """What joblib's NumpyArrayWrapper.read_array reads from the file itself, after the wrapper is built."""
        fields = state if isinstance(state, dict) else {}
        shape, dtype = fields.get("shape"), fields.get("dtype")
        size = _item_size(dtype)
        if not isinstance(shape, tuple) or not all(isinstance(length, int) and length >= 0 for length in shape):
            raise TooLongError
        if size == _OBJECTS:  # another pickle, loaded on the spot
            nested = Trace()
            try:
                run(self._reader, nested)
            finally:
                self._trace.lookups += nested.lookups
                self._trace.oddities += nested.oddities
                self._trace.calls |= nested.calls
                self._trace.opcodes += nested.opcodes
            return
        if size is None:
            raise TooLongError
        if fields.get("numpy_array_alignment_bytes") is not None:
            self._reader.skip(self._reader.exactly(1)[0])
        count = 1
        for length in shape:
            count *= length
        self._reader.skip(count * size)

    def ended(self, _value: None) -> None:
        self.pop()
        self._trace.ended = True


def _is_method_of_object(arguments: Any) -> bool:
    match arguments:
        case (Made(callable=Global(module, _)), str(name)) if module not in {"builtins", "__builtin__"}:
            return name.isidentifier() and not name.startswith("_")
    return False


GETATTRS: Final = (Global("builtins", "getattr"), Global("__builtin__", "getattr"))
_ARRAY_WRAPPERS: Final = (Global("joblib.numpy_pickle", "NumpyArrayWrapper"),)
_OBJECTS: Final = -1


def _item_size(dtype: Any) -> int | None:
    """Bytes of one item of `numpy.dtype("f8", False, True)`; _OBJECTS for Python objects, None if it can't be told."""
    if not isinstance(dtype, Made) or dtype.callable != Global("numpy", "dtype"):
        return None
    text = dtype.arguments[0] if isinstance(dtype.arguments, tuple) and dtype.arguments else None
    if not isinstance(text, str):
        return None
    text = text.lstrip("<>|=")
    if text.startswith("O"):
        return _OBJECTS
    if text.startswith("V") and dtype.state is not None:
        return _record_size(dtype.state)
    kind, number = text[:1], text[1:]
    if not number.isdecimal() or kind not in "biufcSUmMV?":
        return None
    return int(number) * (4 if kind == "U" else 1)


def _record_size(state: Any) -> int | None:
    """Bytes of one record, from the state of its dtype: (version, order, subarray, names, fields, size, ...)."""
    match state:
        case (_, _, None, None, None, int(size), *_):
            return size
        case (_, _, None, tuple(names), dict(fields), int(size), *_) if len(names) == len(fields):
            parts = [_item_size(field[0]) if isinstance(field, tuple) and field else None for field in fields.values()]
            if None in parts:
                return None
            return _OBJECTS if _OBJECTS in parts else size
    return None


# Arguments -------------------------------------------------------------------------------------------------


def _nothing(_reader: Reader) -> None:
    return None


def _number(layout: str) -> Callable[[Reader], Any]:
    if layout == "<B":
        return Reader.byte
    form = struct.Struct(layout)
    return lambda reader: form.unpack(reader.exactly(form.size))[0]


def _content(layout: str, *, text: bool) -> Callable[[Reader], Any]:
    """A length and so many bytes: short text is kept, the rest is skipped."""
    length_of = _number(layout)

    def read(reader: Reader) -> Any:
        length = length_of(reader)
        if length < 0:
            raise ValueError("a negative length")
        if length > KEPT_BYTES or not text:
            reader.skip(length)
            return OPAQUE
        return reader.exactly(length).decode("utf-8", "surrogatepass")

    return read


def _line(reader: Reader) -> str:
    return reader.line(LINE_BYTES).decode("utf-8", "surrogateescape")


def _line_of_digits(reader: Reader) -> Any:
    text = _line(reader).rstrip("L")
    return int(text) if len(text) <= KEPT_DIGITS else OPAQUE


def _quoted_line(reader: Reader) -> Any:
    """The argument of STRING: a literal in quotes with escapes."""
    text = reader.line(LINE_BYTES)
    if text[:1] not in {b"'", b'"'} or text[:1] != text[1:][-1:]:
        raise ValueError("a string without quotes")
    return text[1:-1].decode("unicode_escape") if len(text) <= KEPT_BYTES else OPAQUE


def _raw_unicode_line(reader: Reader) -> Any:
    text = reader.line(LINE_BYTES)
    return text.decode("raw_unicode_escape") if len(text) <= KEPT_BYTES else OPAQUE


def _two_lines(reader: Reader) -> tuple[str, str]:
    return _line(reader), _line(reader)


_ARGUMENTS: dict[str, Callable[[Reader], Any]] = {
    "uint1": _number("<B"),
    "uint2": _number("<H"),
    "int4": _number("<i"),
    "uint4": _number("<I"),
    "uint8": _number("<Q"),
    "float8": _number(">d"),
    "decimalnl_short": _line_of_digits,
    "decimalnl_long": _line_of_digits,
    "floatnl": _line,
    "stringnl": _quoted_line,
    "stringnl_noescape": _line,
    "stringnl_noescape_pair": _two_lines,
    "unicodestringnl": _raw_unicode_line,
    "string1": _content("<B", text=True),
    "string4": _content("<i", text=True),
    "bytes1": _content("<B", text=False),
    "bytes4": _content("<I", text=False),
    "bytes8": _content("<Q", text=False),
    "bytearray8": _content("<Q", text=False),
    "unicodestring1": _content("<B", text=True),
    "unicodestring4": _content("<I", text=True),
    "unicodestring8": _content("<Q", text=True),
    "long1": _content("<B", text=False),
    "long4": _content("<i", text=False),
}

# Actions ---------------------------------------------------------------------------------------------------


def _push(machine: _Machine, value: Any) -> None:
    machine.push(value)


def _push_number(machine: _Machine, value: Any) -> None:
    machine.push(value if isinstance(value, int) else OPAQUE)


def _push_constant(value: Any) -> Callable[[_Machine, Any], None]:
    return lambda machine, _argument: machine.push(value)


def _new_dict(machine: _Machine, _argument: Any) -> None:
    machine.push({})


def _set_items(machine: _Machine, _argument: Any) -> None:
    pairs = machine.pop_to_mark()
    _update(machine.top(), pairs)


def _set_item(machine: _Machine, _argument: Any) -> None:
    value, key = machine.pop(), machine.pop()
    _update(machine.top(), [key, value])


def _update(target: Any, pairs: list[Any]) -> None:
    if isinstance(target, dict):
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if isinstance(key, str) and len(target) < KEPT_ITEMS:
                target[key] = value


def _dict_of_mark(machine: _Machine, _argument: Any) -> None:
    made: dict[str, Any] = {}
    _update(made, machine.pop_to_mark())
    machine.push(made)


def _tuple_of_mark(machine: _Machine, _argument: Any) -> None:
    values = machine.pop_to_mark()
    machine.push(tuple(values) if len(values) <= KEPT_ITEMS else OPAQUE)


def _tuple_of(count: int) -> Callable[[_Machine, Any], None]:
    def act(machine: _Machine, _argument: Any) -> None:
        values = [machine.pop() for _ in range(count)]
        machine.push(tuple(reversed(values)))

    return act


def _drop_to_mark(machine: _Machine, _argument: Any) -> None:
    machine.pop_to_mark()
    machine.top()


def _forget_to_mark(machine: _Machine, _argument: Any) -> None:
    machine.pop_to_mark()


def _opaque_of_mark(machine: _Machine, _argument: Any) -> None:
    machine.pop_to_mark()
    machine.push(OPAQUE)


def _drop(machine: _Machine, _argument: Any) -> None:
    machine._stack.pop()  # noqa: SLF001 - POP takes a mark as well


def _append(machine: _Machine, _argument: Any) -> None:
    machine.pop()
    machine.top()


def _duplicate(machine: _Machine, _argument: Any) -> None:
    machine.push(machine.top())


def _mark(machine: _Machine, _argument: Any) -> None:
    machine.push(_MARK)


def _persistent(machine: _Machine, _argument: Any) -> None:
    machine.push(OPAQUE)


def _persistent_of_stack(machine: _Machine, _argument: Any) -> None:
    machine.pop()
    machine.push(OPAQUE)


def _global(machine: _Machine, names: tuple[str, str]) -> None:
    machine.look_up(*names)


def _stack_global(machine: _Machine, _argument: Any) -> None:
    name, module = machine.pop(), machine.pop()
    machine.look_up(module, name)


def _extension(machine: _Machine, _argument: Any) -> None:
    machine.odd("looks up a name in copyreg's registry of extensions")
    machine.push(OPAQUE)


def _reduce(machine: _Machine, _argument: Any) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.call(function, arguments)


def _build(machine: _Machine, _argument: Any) -> None:
    machine.build(machine.pop())


def _instance(machine: _Machine, names: tuple[str, str]) -> None:
    arguments = tuple(machine.pop_to_mark())
    machine.look_up(*names)
    machine.call(machine.pop(), arguments)


def _object(machine: _Machine, _argument: Any) -> None:
    function, *arguments = machine.pop_to_mark()
    machine.call(function, tuple(arguments))


def _new_object_with_names(machine: _Machine, _argument: Any) -> None:
    machine.pop()
    arguments, function = machine.pop(), machine.pop()
    machine.call(function, arguments)


def _nothing_to_do(_machine: _Machine, _argument: Any) -> None:
    return None


_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"), _push_number),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), _push),
    **dict.fromkeys(("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"), _push),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _push_constant(OPAQUE)),
    **dict.fromkeys(("FLOAT", "BINFLOAT", "EMPTY_LIST", "EMPTY_SET", "NEXT_BUFFER"), _push_constant(OPAQUE)),
    "READONLY_BUFFER": _nothing_to_do,
    "NONE": _push_constant(None),
    "NEWTRUE": _push_constant(True),
    "NEWFALSE": _push_constant(False),
    "APPEND": _append,
    **dict.fromkeys(("APPENDS", "ADDITEMS"), _drop_to_mark),
    **dict.fromkeys(("LIST", "FROZENSET"), _opaque_of_mark),
    "EMPTY_TUPLE": _push_constant(()),
    "TUPLE": _tuple_of_mark,
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "EMPTY_DICT": _new_dict,
    "DICT": _dict_of_mark,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "POP": _drop,
    "DUP": _duplicate,
    "MARK": _mark,
    "POP_MARK": _forget_to_mark,
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda machine, key: machine.get(key)),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), lambda machine, key: machine.put(key)),
    "MEMOIZE": lambda machine, _argument: machine.memoize(),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _extension),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "BUILD": _build,
    "INST": _instance,
    "OBJ": _object,
    "NEWOBJ": _reduce,
    "NEWOBJ_EX": _new_object_with_names,
    **dict.fromkeys(("PROTO", "FRAME"), _nothing_to_do),
    "STOP": _Machine.ended,
    "PERSID": _persistent,
    "BINPERSID": _persistent_of_stack,
}

_TABLE = {
    ord(opcode.code): (_ARGUMENTS[opcode.arg.name] if opcode.arg else _nothing, _ACTIONS[opcode.name])
    for opcode in pickletools.opcodes
}
