"""Work whose enqueue was lost (the engine's database did not answer at the commit) is enqueued again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.utils import timezone

EVERY_SECONDS = 5.0
GRACE = dt.timedelta(seconds=5)

_R = TypeVar("_R")


@dataclass(frozen=True)
class Waiting(Generic[_R]):
    """Work of one kind that may wait in vain.

    Attributes:
        rows: those that wait for a host since before a moment.
        enqueue: puts one on its queue; doing it twice is harmless.
    """

    rows: Callable[[dt.datetime], Iterable[_R]]
    enqueue: Callable[[_R], object]


_kinds: dict[str, Waiting[Any]] = {}


def register_waiting(name: str, waiting: Waiting[Any]) -> None:
    """Let the sweep look after work of this kind.

    Raises:
        ValueError: a bug: two kinds of one name.
    """
    if _kinds.get(name, waiting) != waiting:
        raise ValueError(f"two kinds of work are named {name!r}")
    _kinds[name] = waiting


def sweep_lost_enqueues() -> int:
    """Enqueue what waits since before the grace time; the engine attaches to work that it already has.

    Returns:
        How many were looked at.
    """
    before = timezone.now() - GRACE
    count = 0
    for waiting in _kinds.values():
        for row in waiting.rows(before):
            waiting.enqueue(row)
            count += 1
    return count
