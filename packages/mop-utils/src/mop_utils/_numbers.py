"""What counts as a number in a model's output: Python's and numpy's, told apart without importing numpy."""

import sys
from typing import Any, Optional, Tuple, Union


def as_integer(value: Any) -> Optional[int]:
    """The plain int of a Python or numpy integer; None for anything else, booleans included."""
    if isinstance(value, bool):
        return None
    return int(value) if isinstance(value, int) or is_numpy_integer(value) else None


def as_number(value: Any) -> Optional[Union[int, float]]:
    """The plain int or float (NaN and infinities included) of a real number; None for anything else."""
    integer = as_integer(value)
    if integer is not None:
        return integer
    if isinstance(value, float) or is_numpy_floating(value):
        return float(value)
    return None


def is_numpy_integer(value: Any) -> bool:
    """Whether the value is a numpy integer scalar. numpy's timedelta64 calls itself an integer; it is none."""
    return isinstance(value, _numpy_types("integer")) and not isinstance(value, _numpy_types("timedelta64"))


def is_numpy_floating(value: Any) -> bool:
    """Whether the value is a numpy floating-point scalar."""
    return isinstance(value, _numpy_types("floating"))


def _numpy_types(name: str) -> Tuple[type, ...]:
    # A numpy scalar can only exist where numpy is loaded already.
    kind = getattr(sys.modules.get("numpy"), name, None)
    return (kind,) if isinstance(kind, type) else ()
