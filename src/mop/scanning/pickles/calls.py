"""What a call of a pickle comes to, followed through the few callables that call, create or look up something else."""

from __future__ import annotations

from typing import Any, Final

from mop.scanning.pickles.values import OPAQUE, Global, Made, Oddity, Trace, Use

_BUILTINS: Final = ("builtins", "__builtin__")
GETATTRS: Final = frozenset(Global(module, "getattr") for module in _BUILTINS)
_TYPES: Final = frozenset(Global(module, "type") for module in _BUILTINS)
_CREATORS: Final = frozenset(
    Global(module, name)
    for module in ("copyreg", "copy_reg")
    for name in ("__newobj__", "__newobj_ex__", "_reconstructor")
)
_INVOKERS: Final = frozenset({Global("torch._tensor", "_rebuild_from_type_v2")})
"""Harmless by themselves; they call their first argument with the second."""


def call(trace: Trace, function: Any, arguments: Any, use: Use, position: int) -> Any:
    """The answer of a call, symbolically; the trace learns what is called."""
    if not isinstance(function, Global):
        trace.odd(Oddity.COMPUTED_CALL, position)
        return Made(OPAQUE, OPAQUE)
    if function in GETATTRS:
        return _attribute(trace, arguments, position)
    if function in _CREATORS:
        return _created(trace, arguments, position)
    if function in _TYPES and not (isinstance(arguments, tuple) and len(arguments) == 1):
        trace.odd(Oddity.MADE_CLASS, position)
    if function in _INVOKERS:
        match arguments:
            case (invoked, given, *_):
                call(trace, invoked, given, Use.CALLED, position)
            case _:
                trace.odd(Oddity.COMPUTED_CALL, position)
    trace.see(function, use, position)
    return Made(function, arguments)


def _attribute(trace: Trace, arguments: Any, position: int) -> Any:
    """`getattr(owner, "name")`: a bound method, or a class within a class."""
    match arguments:
        case (Global() as owner, str(name), *_):
            found = owner.attribute(name)
        case (Made(callable=Global() as owner), str(name), *_):
            found = owner.attribute(name)
        case (str() | int() | tuple() | dict() as owner, str(name), *_):
            found = Global("builtins", type(owner).__name__).attribute(name)
        case _:
            trace.odd(Oddity.COMPUTED_ATTRIBUTE, position)
            return OPAQUE
    trace.see(found, Use.ATTRIBUTE, position)
    return found


def _created(trace: Trace, arguments: Any, position: int) -> Any:
    """`copyreg.__newobj__(cls, ...)` and its kin create an instance of their first argument."""
    match arguments:
        case (Global() as cls, *rest):
            if cls in GETATTRS | _CREATORS:
                trace.odd(Oddity.COMPUTED_CALL, position)
            if cls in _TYPES:
                trace.odd(Oddity.MADE_CLASS, position)
            trace.see(cls, Use.CREATED, position)
            return Made(cls, tuple(rest))
    trace.odd(Oddity.COMPUTED_CALL, position)
    return OPAQUE
