"""A revision's timeline as people read it: what it passed, where it stands, what lies ahead."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from mop.registry.selectors import TimelineEntry
from mop.registry.statuses import CHAIN, RevisionStatus


@dataclass(frozen=True)
class Step:
    """One line: a status, how it looks (passed, ahead, or the tone of the one it stands in), when and how long."""

    status: RevisionStatus
    look: str
    at: dt.datetime | None = None
    seconds: float | None = None
    is_counting: bool = False
    detail: str = ""


@dataclass(frozen=True)
class Attempt:
    number: int
    steps: list[Step]


def attempts(entries: list[TimelineEntry]) -> list[Attempt]:
    """Every attempt, newest first; the newest one shows the statuses ahead while it runs."""
    numbers = sorted({entry.attempt for entry in entries}, reverse=True)
    return [Attempt(number, _steps([entry for entry in entries if entry.attempt == number])) for number in numbers]


def _steps(entries: list[TimelineEntry]) -> list[Step]:
    steps = [_step(entry, is_last=entry is entries[-1]) for entry in entries]
    last = entries[-1]
    if last.is_current and last.status in CHAIN:
        steps += [Step(status, "ahead") for status in CHAIN[CHAIN.index(last.status) + 1 :]]
    return steps


def _step(entry: TimelineEntry, *, is_last: bool) -> Step:
    is_counting = entry.is_current and entry.status.is_live
    is_end = is_last and (entry.is_current or entry.status not in CHAIN)
    return Step(
        status=entry.status,
        look=entry.status.tone if is_end else "passed",
        at=entry.at,
        seconds=entry.seconds if not is_last or is_counting else None,
        is_counting=is_counting,
        detail=entry.detail,
    )
