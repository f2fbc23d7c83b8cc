"""How the pages of datasets write numbers."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

from django import template

register = template.Library()

_PERCENT = 100
_MEGABYTE = 1_000_000


@register.filter
def thousands(count: int | None) -> str:
    """A number with commas: `7,118`; empty for None."""
    return "" if count is None else f"{count:,}"


@register.filter
def less(count: int, listed: Sized) -> int:
    """How many of a count are not listed."""
    return count - len(listed)


@register.filter
def percent(ratio: float) -> str:
    """A share as a whole number of percent: `61`."""
    return f"{ratio * _PERCENT:.0f}"


@register.filter
def megabytes(size: int) -> str:
    """A number of bytes in MB of 1,000,000: `4.2`, `0.013`."""
    number = size / _MEGABYTE
    return f"{number:.1f}" if number >= 1 else f"{number:.3f}"


@register.filter
def has_withheld(labels: Sequence[dict[str, Any]]) -> bool:
    """Whether the name of a label is withheld."""
    return any(not one["label"] for one in labels)
