"""Run a pickle without running it: an abstract machine over its opcodes.

A pickle is a straight line of opcodes for a stack machine (pickletools describes each). Nothing branches, so every
global that an unpickler would look up can be told exactly by following the stack and the memo with symbolic values, but
for names that the pickle computes by calling something; those are told as such. CPython's unpicklers, in C and in
Python, are the reference: where either goes on, the machine goes on. Long strings and buffers are skipped, not kept.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any, Final, Protocol

from mop.scanning.pickles import joblib_arrays
from mop.scanning.pickles.arguments import KEPT_BYTES, KEY, LENGTHS, NO_MODULE, NOTHING, READS, decoded
from mop.scanning.pickles.calls import call
from mop.scanning.pickles.values import OPAQUE, Global, Made, Oddity, Trace, Use
from mop.scanning.reader import MissingError, Reader

KEPT_ITEMS = 64
MEMO_ENTRIES = 4_000_000
KEPT_TOTAL_BYTES = 192 * 1024**2
"""Of everything that is known of a pickle's values; what comes later is opaque."""
STACK_MAX = 2_000_000
OPCODES_MAX = 100_000_000
EMBEDDED_BYTES = 16 * 1024**2
"""Of one content of bytes within a pickle that begins like a pickle or an archive; a longer one is not looked at."""

_COPIED_ENTRIES = 4096
_PLACE_BYTES = 120  # of a value and its place in the memo
_CHECKED_OPCODES = 0xFFFF
_EMBEDDED = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")
_SHORT_BINUNICODE, _MEMOIZE, _BINGET, _BINFLOAT, _BININT, _BININT1, _BININT2 = b"\x8c\x94hGJKM"
_LONGEST_PLAIN = 9  # BINFLOAT
_MARK: Final = object()


class BrokenPickleError(Exception):
    """Every unpickler would stop here with an error."""


class TooLongError(Exception):
    """The pickle has more opcodes, or a larger memo, than a scan follows."""


class CostlyError(TooLongError):
    """The pickle is made so that following it takes more memory than its size is worth."""


class AmbiguousError(Exception):
    """Two loaders of this pickle read its rest differently."""


class Embedded(Protocol):
    """Takes bytes within a pickle that begin like something that is loaded itself."""

    def __call__(self, content: bytes, position: int, /) -> None:
        """Look at them."""


def run(reader: Reader, trace: Trace, *, arrays: bool = True, embedded: Embedded | None = None) -> None:
    """Follow one pickle to its STOP; the trace holds what was met, also when this raises.

    Args:
        reader: stands at its first opcode.
        trace: is filled.
        arrays: skip what joblib writes behind the wrapper of an array, as joblib's unpickler does.
        embedded: takes contents that are loaded themselves when a callable of the pickle loads them.

    Raises:
        BrokenPickleError: an opcode does not exist, its argument is cut off, or the stack does not fit.
        TooLongError: it is longer than a scan follows.
        AmbiguousError: loaders differ over what follows.
    """
    Machine(reader, trace, arrays=arrays, embedded=embedded).run()


class Machine:
    """Stack, marks and memo of an unpickler, with symbolic values."""

    def __init__(self, reader: Reader, trace: Trace, *, arrays: bool, embedded: Embedded | None) -> None:
        self.reader = reader
        self.trace = trace
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.position = 0
        self.frame_end = 0
        self.arrays = arrays
        self.embedded = embedded
        self._dense = 0  # every key below this one is taken
        self._sparse: set[int] = set()  # and these above
        self._bytes_left = KEPT_TOTAL_BYTES

    def run(self) -> None:
        """Follow opcodes to STOP."""
        reader, trace, push = self.reader, self.trace, self.stack.append
        opcodes = 0
        checked = _CHECKED_OPCODES
        try:
            while not trace.ended:
                opcodes += self._hurry()
                at, buffer = reader.at, reader.buffer
                self.position = position = reader.before + at
                if self.frame_end and position >= self.frame_end:
                    if position > self.frame_end:  # the unpickler in C loses what it has of it, when it reads a file
                        raise AmbiguousError("an opcode goes over the end of its frame")
                    self.frame_end = 0
                if at < len(buffer):
                    reader.at = at + 1
                    read, act = _TABLE[buffer[at]]
                else:
                    read, act = _TABLE[reader.byte()]
                opcodes += 1
                if opcodes >= checked:
                    checked = opcodes + _CHECKED_OPCODES
                    self._check(opcodes)
                if act is None:
                    push(read(reader))
                elif read is NOTHING:
                    act(self, None)
                else:
                    act(self, read(reader))
        except (EOFError, KeyError, IndexError) as error:
            raise BrokenPickleError(str(error)) from error
        finally:
            trace.opcodes += opcodes

    def _hurry(self) -> int:  # noqa: C901 - one branch for each opcode
        """Follow opcodes that push plain values, while they lie in the reader's buffer and the frame; how many."""
        reader, stack, memo, left = self.reader, self.stack, self.memo, self._bytes_left
        buffer, at, key = reader.buffer, reader.at, self._dense
        end = len(buffer) if not self.frame_end else min(len(buffer), self.frame_end - reader.before)
        last_key = MEMO_ENTRIES - len(memo) if not self._sparse else 0
        last, count = end - _LONGEST_PLAIN, 0
        while at < last:
            code = buffer[at]
            if code == _SHORT_BINUNICODE:
                after = at + 2 + buffer[at + 1]
                if after > end:
                    break
                stack.append(decoded(buffer[at + 2 : after], "utf-8"))
                at = after
            elif code == _MEMOIZE:
                if type(stack[-1] if stack else None) is not str or key >= last_key or left < _PLACE_BYTES + KEPT_BYTES:
                    break
                memo[key] = stack[-1]
                left -= len(stack[-1]) + _PLACE_BYTES
                key += 1
                at += 1
            elif code == _BININT1:
                stack.append(buffer[at + 1])
                at += 2
            elif code == _BININT2:
                stack.append(buffer[at + 1] | buffer[at + 2] << 8)
                at += 3
            elif code == _BINGET:
                stack.append(memo.get(buffer[at + 1], OPAQUE))
                at += 2
            elif code == _BINFLOAT:
                stack.append(OPAQUE)
                at += 9
            elif code == _BININT:
                stack.append(int.from_bytes(buffer[at + 1 : at + 5], "little", signed=True))
                at += 5
            else:
                break
            count += 1
        reader.at, self._dense, self._bytes_left = at, key, left
        return count

    def _check(self, opcodes: int) -> None:
        if opcodes > OPCODES_MAX:
            raise TooLongError
        if len(self.stack) > STACK_MAX:
            raise CostlyError(f"a pickle with over {STACK_MAX:,} values on its stack")

    def keep(self, value: Any) -> None:
        """Push a value that holds others, as long as there is room for what is known."""
        self.stack.append(value if self.has_room(0) else OPAQUE)

    def has_room(self, size: int) -> bool:
        """Whether so much more may be known."""
        self._bytes_left -= size + _PLACE_BYTES
        if self._bytes_left < 0:
            self.trace.forgot = True
            return False
        return True

    def pop(self) -> Any:
        """Take a value."""
        value = self.stack.pop()
        if value is _MARK:
            raise IndexError("a mark where a value is needed")
        return value

    def pop_to_mark(self) -> list[Any]:
        """Take everything above the last mark, and the mark."""
        stack = self.stack
        at = len(stack) - 1
        while stack[at] is not _MARK:
            if at <= 0:
                raise IndexError("no mark")
            at -= 1
        values = stack[at + 1 :]
        del stack[at:]
        return values

    def top(self) -> Any:
        """Look at the last value."""
        value = self.stack[-1]
        if value is _MARK:
            raise IndexError("a mark where a value is needed")
        return value

    def put(self, key: int) -> None:
        """Keep the last value; one that is too much to keep is forgotten."""
        if key < 0:
            raise KeyError(key)
        value = self.top()
        if value is OPAQUE or not self.has_room(len(value) if isinstance(value, str) else 0):
            self.memo.pop(key, None)
        else:
            self.memo[key] = value
        if key == self._dense:
            self._dense += 1
            while self._dense in self._sparse:
                self._sparse.remove(self._dense)
                self._dense += 1
        elif key > self._dense:
            self._sparse.add(key)
        if len(self.memo) + len(self._sparse) > MEMO_ENTRIES:
            raise TooLongError

    def memoize(self, _argument: Any = None) -> None:
        """Put at the key that is the number of keys so far, as unpicklers do."""
        key = self._dense + len(self._sparse)
        value = self.stack[-1]
        if type(value) is not str or self._sparse or key >= MEMO_ENTRIES:
            self.put(key)
            return
        self._bytes_left -= len(value) + _PLACE_BYTES
        if self._bytes_left >= 0:
            self.memo[key] = value
        else:
            self.trace.forgot = True
        self._dense = key + 1

    def look_up(self, module: Any, name: Any) -> None:
        """What find_class does.

        Raises:
            BrokenPickleError: no module has this name.
        """
        if isinstance(module, str) and NO_MODULE in module:
            raise BrokenPickleError(f"a module named {module[:60]!r}")
        if isinstance(module, str) and isinstance(name, str):
            found = Global(module, name)
            self.trace.see(found, Use.NAMED, self.position)
            self.stack.append(found)
        else:
            self.odd(Oddity.COMPUTED_NAME)
            self.stack.append(OPAQUE)

    def odd(self, what: Oddity) -> None:
        """Note what no ordinary pickle does."""
        self.trace.odd(what, self.position)

    def call(self, function: Any, arguments: Any, use: Use) -> None:
        """Call, with an answer on the stack."""
        self.keep(call(self.trace, function, arguments, use, self.position))

    def build(self, state: Any) -> None:
        """Set the state of the last value."""
        made = self.top()
        if isinstance(made, Global):
            self.odd(Oddity.CHANGED_GLOBAL)
        elif isinstance(made, Made):
            made.state = state
            if self.arrays and made.callable in joblib_arrays.WRAPPERS:
                self._pass_array(state)

    def _pass_array(self, state: Any) -> None:
        """Where joblib's unpickler reads the file itself; any other goes on with the next opcode."""
        if self.reader.position < self.frame_end:
            raise AmbiguousError("the bytes of an array lie within a frame of opcodes")
        self.frame_end = 0
        size = joblib_arrays.size_of(state)
        if size is None:
            raise TooLongError
        if size == joblib_arrays.OBJECTS:  # another pickle, loaded on the spot by Python's own unpickler
            nested = Trace()
            try:
                run(self.reader, nested, arrays=False, embedded=self.embedded)
            finally:
                _add(self.trace, nested)
            return
        if joblib_arrays.is_aligned(state):
            padding = self.reader.exactly(1)[0]
            self._look_at_bytes(size + padding)
            self.reader.skip(padding)
        else:
            self._look_at_bytes(size)
        self.reader.skip(size)

    def _look_at_bytes(self, size: int) -> None:
        """Whether an unpickler that knows nothing of arrays could go on in the bytes of this one."""
        window = self.reader.peek(min(size, joblib_arrays.WINDOW))
        other = Machine(Reader(joblib_arrays.Bytes(window)), Trace(), arrays=False, embedded=None)
        other.stack = [OPAQUE, _MARK, *self.stack[-KEPT_ITEMS:]]
        other.memo = dict(self.memo) if len(self.memo) <= _COPIED_ENTRIES else {}
        missing = 0
        try:
            other.run()
        except (BrokenPickleError, TooLongError) as error:
            missing = error.__cause__.args[0] if isinstance(error.__cause__, MissingError) else 0
        if other.trace.calls or other.trace.sights:
            raise AmbiguousError("the bytes of an array are opcodes, too")
        self.trace.undecided |= 0 < missing < size + joblib_arrays.FAR


def _add(trace: Trace, nested: Trace) -> None:
    for sight in nested.sights.values():
        trace.see(sight.name, sight.use, sight.position)
    for what, position in nested.oddities.items():
        trace.odd(what, position)
    trace.opcodes += nested.opcodes
    trace.beginnings = max(trace.beginnings, nested.beginnings)
    trace.forgot |= nested.forgot
    trace.undecided |= nested.undecided


# Actions ---------------------------------------------------------------------------------------------------

Act = Callable[[Machine, Any], None]


def _constant(value: Any) -> Act:
    return lambda machine, _argument: machine.stack.append(value)


def _content(machine: Machine, length: int) -> None:
    """Bytes: skipped, but for those that something else may load."""
    reader = machine.reader
    if machine.embedded is not None and reader.peek(min(length, 4)).startswith(_EMBEDDED):
        position = reader.position
        if length <= EMBEDDED_BYTES:
            machine.embedded(reader.exactly(length), position)
            machine.stack.append(OPAQUE)
            return
    reader.skip(length)
    machine.stack.append(OPAQUE)


def _new_dict(machine: Machine, _argument: Any) -> None:
    machine.keep({})


def _set_items(machine: Machine, _argument: Any) -> None:
    pairs = machine.pop_to_mark()
    _update(machine, machine.top(), pairs)


def _set_item(machine: Machine, _argument: Any) -> None:
    value, key = machine.pop(), machine.pop()
    _update(machine, machine.top(), [key, value])


def _update(machine: Machine, target: Any, pairs: list[Any]) -> None:
    if isinstance(target, dict):
        for key, value in zip(pairs[::2], pairs[1::2], strict=False):
            if isinstance(key, str) and len(target) < KEPT_ITEMS and machine.has_room(len(key)):
                target[key] = value


def _dict_of_mark(machine: Machine, _argument: Any) -> None:
    made: dict[str, Any] = {}
    _update(machine, made, machine.pop_to_mark())
    machine.keep(made)


def _tuple_of_mark(machine: Machine, _argument: Any) -> None:
    values = machine.pop_to_mark()
    machine.keep(tuple(values) if len(values) <= KEPT_ITEMS else OPAQUE)


def _tuple_of(count: int) -> Act:
    def act(machine: Machine, _argument: Any) -> None:
        values = [machine.pop() for _ in range(count)]
        machine.keep(tuple(reversed(values)))

    return act


def _drop_to_mark(machine: Machine, _argument: Any) -> None:
    machine.pop_to_mark()
    machine.top()


def _forget_to_mark(machine: Machine, _argument: Any) -> None:
    machine.pop_to_mark()


def _opaque_of_mark(machine: Machine, _argument: Any) -> None:
    machine.pop_to_mark()
    machine.stack.append(OPAQUE)


def _drop(machine: Machine, _argument: Any) -> None:
    machine.stack.pop()  # POP takes a mark as well


def _append(machine: Machine, _argument: Any) -> None:
    machine.pop()
    machine.top()


def _duplicate(machine: Machine, _argument: Any) -> None:
    machine.stack.append(machine.top())


def _persistent_of_stack(machine: Machine, _argument: Any) -> None:
    machine.pop()
    machine.stack.append(OPAQUE)


def _global(machine: Machine, names: tuple[Any, Any]) -> None:
    machine.look_up(*names)


def _stack_global(machine: Machine, _argument: Any) -> None:
    name, module = machine.pop(), machine.pop()
    machine.look_up(module, name)


def _extension(machine: Machine, _argument: Any) -> None:
    machine.odd(Oddity.EXTENSION)
    machine.stack.append(OPAQUE)


def _reduce(machine: Machine, _argument: Any) -> None:
    arguments, function = machine.pop(), machine.pop()
    machine.call(function, arguments, Use.CALLED)


def _new_object(machine: Machine, _argument: Any) -> None:
    arguments, cls = machine.pop(), machine.pop()
    machine.call(cls, arguments, Use.CREATED)


def _new_object_with_names(machine: Machine, _argument: Any) -> None:
    machine.pop()
    _new_object(machine, None)


def _build(machine: Machine, _argument: Any) -> None:
    machine.build(machine.pop())


def _instance(machine: Machine, names: tuple[Any, Any]) -> None:
    machine.look_up(*names)
    function = machine.pop()
    machine.call(function, tuple(machine.pop_to_mark()), Use.CALLED)


def _object(machine: Machine, _argument: Any) -> None:
    function, *arguments = machine.pop_to_mark() or [None]
    machine.call(function, tuple(arguments), Use.CALLED)


def _frame(machine: Machine, length: int) -> None:
    machine.frame_end = machine.reader.position + length


def _begin(machine: Machine, _argument: Any) -> None:
    machine.trace.beginnings += 1


def _nothing_to_do(_machine: Machine, _argument: Any) -> None:
    return None


def _ended(machine: Machine, _argument: Any) -> None:
    machine.pop()
    machine.trace.ended = True


_ACTIONS: dict[str, Act | None] = {
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"), None),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), None),
    **dict.fromkeys(("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"), None),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _content),
    **dict.fromkeys(("FLOAT", "BINFLOAT", "EMPTY_LIST", "EMPTY_SET", "NEXT_BUFFER", "PERSID"), _constant(OPAQUE)),
    "READONLY_BUFFER": _nothing_to_do,
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "APPEND": _append,
    **dict.fromkeys(("APPENDS", "ADDITEMS"), _drop_to_mark),
    **dict.fromkeys(("LIST", "FROZENSET"), _opaque_of_mark),
    "EMPTY_TUPLE": _constant(()),
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
    "MARK": _constant(_MARK),
    "POP_MARK": _forget_to_mark,
    **dict.fromkeys(
        ("GET", "BINGET", "LONG_BINGET"), lambda machine, key: machine.stack.append(machine.memo.get(key, OPAQUE))
    ),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), Machine.put),
    "MEMOIZE": Machine.memoize,
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _extension),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "BUILD": _build,
    "INST": _instance,
    "OBJ": _object,
    "NEWOBJ": _new_object,
    "NEWOBJ_EX": _new_object_with_names,
    "PROTO": _begin,
    "FRAME": _frame,
    "STOP": _ended,
    "BINPERSID": _persistent_of_stack,
}


def _read_of(opcode: pickletools.OpcodeInfo) -> Callable[[Reader], Any]:
    if opcode.name in {"GET", "PUT"}:
        return KEY
    name = opcode.arg.name if opcode.arg else ""
    return LENGTHS.get(name) or READS[name]


_TABLE = {ord(opcode.code): (_read_of(opcode), _ACTIONS[opcode.name]) for opcode in pickletools.opcodes}
