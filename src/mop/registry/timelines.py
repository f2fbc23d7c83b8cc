"""A revision's timeline as people read it: what it passed, where it stands, what lies ahead."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from mop.registry.selectors import TimelineEntry, usual_seconds
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

    @property
    def look_class(self) -> str:
        """The class that colours its icon."""
        return f"t-{self.look}"

    @property
    def is_failure(self) -> bool:
        """Whether it ended in a fault, which the error card tells whole."""
        return self.look == "bad"


@dataclass(frozen=True)
class Attempt:
    number: int
    steps: list[Step]


@dataclass(frozen=True)
class Phase:
    """A part of the way to `verified`: how it looks (done, now, bad or ahead), and how long it took so far."""

    label: str
    look: str
    seconds: float | None = None
    since: dt.datetime | None = None


S = RevisionStatus
PHASES = (
    ("Snapshot", (S.CREATED,)),
    ("Environment", (S.DATA_DOWNLOADED, S.ENVIRONMENT_CREATING)),
    ("Host", (S.ENVIRONMENT_CREATED, S.ENDPOINT_CREATING)),
    ("Deployment", (S.ENDPOINT_CREATED, S.DEPLOYMENT_CREATING)),
    ("Verification", (S.DEPLOYMENT_CREATED,)),
)


def phases(entries: list[TimelineEntry]) -> list[Phase]:
    """The newest attempt in five phases; each lasts from the status that begins it to the one that begins the next."""
    newest = [entry for entry in entries if entry.attempt == entries[-1].attempt]
    last = newest[-1]
    on_the_way = [entry for entry in newest if entry.status in CHAIN]
    stands = on_the_way[-1].status if on_the_way else S.CREATED
    found, is_ahead = [], False
    for label, statuses in PHASES:
        own = [entry for entry in newest if entry.status in statuses]
        seconds = sum(entry.seconds or 0.0 for entry in own) if own else None
        if is_ahead:
            found.append(Phase(label, "ahead"))
        elif stands in statuses:
            is_running = last.status in CHAIN
            found.append(Phase(label, "now" if is_running else "bad", seconds, own[0].at if is_running else None))
            is_ahead = True
        else:
            found.append(Phase(label, "done", seconds))
    return found


def usual_range(shown: list[Phase]) -> tuple[float, float] | None:
    """How many seconds the phase that runs usually takes, from and to; None where none runs or too few are known."""
    place = next((place for place, phase in enumerate(shown) if phase.look == "now"), None)
    if place is None:
        return None
    end = PHASES[place + 1][1][0] if place + 1 < len(PHASES) else S.VERIFIED
    return usual_seconds(PHASES[place][1][0], end)


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
