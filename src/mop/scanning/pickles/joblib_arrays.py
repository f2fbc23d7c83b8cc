"""What joblib writes between opcodes: the raw bytes of an array, behind the wrapper that describes it.

joblib's own arithmetic (NumpyArrayWrapper.read_array) tells how many they are.
"""

from __future__ import annotations

from typing import Any, Final

from mop.scanning.pickles.values import Global, Made

WRAPPERS: Final = (Global("joblib.numpy_pickle", "NumpyArrayWrapper"),)
OBJECTS: Final = -1
"""In place of a size: the array holds objects, which follow as a pickle of their own."""
WINDOW = 64 * 1024
FAR = 16 * 1024**2
"""Numbers that look like the opcode of a longer text are no text."""
_ITEM_BYTES = {"b": 1, "?": 1}


class Bytes:
    """Bytes as a stream."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int, /) -> bytes:
        """Take at most so many."""
        data, self._content = self._content[:size], self._content[size:]
        return data


def size_of(state: Any) -> int | None:
    """How many bytes follow the wrapper's padding; OBJECTS for a pickle, None if it cannot be told."""
    fields = state if isinstance(state, dict) else {}
    shape, dtype = fields.get("shape"), fields.get("dtype")
    size = _item_size(dtype)
    if size is None or size == OBJECTS:
        return size
    if not isinstance(shape, tuple) or not all(isinstance(length, int) and length >= 0 for length in shape):
        return None
    count = 1
    for length in shape:
        count *= length
    return count * size


def is_aligned(state: Any) -> bool:
    """Whether a byte that tells the padding follows, and the padding."""
    return isinstance(state, dict) and state.get("numpy_array_alignment_bytes") is not None


def _item_size(dtype: Any) -> int | None:
    """Bytes of one item of `numpy.dtype("f8", False, True)`; OBJECTS for Python objects, None if it can't be told."""
    if not isinstance(dtype, Made) or dtype.callable != Global("numpy", "dtype"):
        return None
    text = dtype.arguments[0] if isinstance(dtype.arguments, tuple) and dtype.arguments else None
    if not isinstance(text, str):
        return None
    text = text.lstrip("<>|=")
    if text.startswith("O"):
        return OBJECTS
    if text.startswith("V") and dtype.state is not None:
        return _record_size(dtype.state)
    kind, digits = text[:1], text[1:]
    if not digits.isdecimal() or kind not in "biufcSUmMV":
        return _ITEM_BYTES.get(text)
    return int(digits) * (4 if kind == "U" else 1)


def _record_size(state: Any) -> int | None:
    """Bytes of one record, from the state of its dtype: (version, order, subarray, names, fields, size, ...)."""
    match state:
        case (_, _, None, None, None, int(size), *_):
            return size
        case (_, _, None, tuple(names), dict(fields), int(size), *_) if len(names) == len(fields):
            parts = [_item_size(field[0]) if isinstance(field, tuple) and field else None for field in fields.values()]
            if None in parts:
                return None
            return OBJECTS if OBJECTS in parts else size
    return None
