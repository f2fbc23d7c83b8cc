"""Parts of a model's output, shown in a few characters whatever they are."""

from itertools import islice
from typing import Any, Iterable, List, Mapping, Sequence

from ._numbers import as_number

_MOST_SHOWN = 8
_TEXT_SHOWN = 60
_DIGITS_SHOWN = 10**20


def show(value: object) -> str:
    """A value in a few characters, whatever it is: repr() of a foreign object could fail or never end."""
    number = as_number(value)
    if isinstance(number, int) and abs(number) >= _DIGITS_SHOWN:
        return "an integer of more than 20 digits"
    if number is not None or value is None or isinstance(value, bool):
        return repr(value if number is None else number)
    if isinstance(value, str):
        text = repr(value[:_TEXT_SHOWN])  # escapes make it longer than the value
        return text if len(value) <= _TEXT_SHOWN and len(text) <= 2 * _TEXT_SHOWN else text[: 2 * _TEXT_SHOWN] + "..."
    if isinstance(value, (dict, list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a value of type {type(value).__name__[:_TEXT_SHOWN]}"


def show_values(entries: Mapping[Any, Any], labels: Sequence[Any]) -> str:
    """Labels with their values, the first few of them."""
    shown = [f"{show(label)}: {show(entries.get(label))}" for label in labels[:_MOST_SHOWN]]
    return _join(shown, len(labels))


def show_names(names: Iterable[Any]) -> str:
    """Names as a list, the first few of them."""
    names = list(names)
    return "[" + _join([show(name) for name in islice(names, _MOST_SHOWN)], len(names)) + "]"


def _join(shown: List[str], count: int) -> str:
    more = count - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
