"""The abstract machine tells exactly what a loader would look up."""

from __future__ import annotations

import io
import pickle
import pickletools
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.scanning.pickles.known_globals import Kind, kind_of
from mop.scanning.pickles.machine import BrokenPickleError, Global, Trace, run
from mop.scanning.reader import Reader
from security.hostile import MARK, REDUCE, STOP, call, named, text

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
    return [str(lookup.name) for lookup in trace.lookups]


@given(value=VALUES, protocol=st.integers(0, 5))
def test_every_pickle_of_plain_values_is_followed_to_its_end(value: Any, protocol: int):
    content = pickle.dumps(value, protocol)
    trace = follow(content)
    assert trace.ended
    assert trace.opcodes == sum(1 for _ in pickletools.genops(content))
    assert all(name.split(".")[0] in {"builtins", "__builtin__", "_codecs", "copyreg"} for name in names(trace))
    assert all(kind_of(lookup.name) == Kind.HARMLESS for lookup in trace.lookups)
    assert trace.oddities == []


@given(content=st.binary(max_size=300))
def test_any_bytes_end_or_break_and_nothing_else(content: bytes):
    trace = Trace()
    try:
        run(Reader(io.BytesIO(content)), trace)
    except BrokenPickleError:
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
    for lookup in trace.lookups:
        assert content[lookup.position : lookup.position + 1] in {b"c", b"\x93"}


def test_a_lookup_is_told_also_when_the_pickle_breaks_behind_it():
    trace = Trace()
    with pytest.raises(BrokenPickleError):
        run(Reader(io.BytesIO(b"\x80\x04cos\nsystem\n\xff")), trace)
    assert names(trace) == ["os.system"]


def test_a_bound_method_is_no_lookup_of_getattr_and_any_other_use_is():
    method = b"\x80\x04" + call(named("builtins", "getattr"), call(named("datetime", "date")), text("today")) + STOP
    assert names(follow(method)) == ["datetime.date"]
    for body in (
        call(named("builtins", "getattr"), named("os", "path"), text("os")),
        call(named("builtins", "getattr"), call(named("datetime", "date")), text("__class__")),
        named("builtins", "getattr"),
        named("builtins", "getattr") + b"2" + MARK + call(named("datetime", "date")) + text("today") + b"t" + REDUCE,
    ):
        assert "builtins.getattr" in names(follow(b"\x80\x04" + body + STOP))


@pytest.mark.parametrize(
    ("module", "name", "kind"),
    [
        ("collections", "OrderedDict", Kind.HARMLESS),
        ("builtins", "set", Kind.HARMLESS),
        ("builtins", "eval", Kind.DANGEROUS),
        ("os.path", "join", Kind.DANGEROUS),
        ("numpy", "ndarray", Kind.HARMLESS),
        ("numpy.f2py.crackfortran", "getlincoef", Kind.DANGEROUS),
        ("sklearn.utils._testing", "check_docstring_parameters", Kind.DANGEROUS),
        ("sklearn.linear_model._logistic", "LogisticRegression", Kind.HARMLESS),
        ("sklearn.linear_model._logistic", "os.system", Kind.UNKNOWN),
        ("collections", "OrderedDict.__init__.__globals__", Kind.DANGEROUS),
        ("__main__", "Model", Kind.UNKNOWN),
        ("my_package.model", "Model", Kind.UNKNOWN),
        ("operator", "itemgetter", Kind.HARMLESS),
        ("operator", "attrgetter", Kind.DANGEROUS),
    ],
)
def test_names_are_judged_one_by_one(module: str, name: str, kind: Kind):
    assert kind_of(Global(module, name)) == kind
