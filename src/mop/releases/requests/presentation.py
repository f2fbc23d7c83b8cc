"""Releases as pages show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from mop.releases.gates.conditions import Unit
from mop.releases.gates.report import GateDocument
from mop.releases.gates.verdicts import Result
from mop.releases.presentation import Badge, badge_of, shown_value
from mop.releases.release_models import Release, SlotPeriod
from mop.releases.release_states import PeriodEnd, ReleaseState

NOTHING, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
DAYS_SHOWN = 90
LEFT, RIGHT, ROW, BAR = 150.0, 900.0, 30.0, 21.0
LETTER = 7.0  # about the width of a letter in the figure


@dataclass(frozen=True)
class Step:
    """One step on the way of a release."""

    text: str
    at: dt.datetime | None
    is_done: bool
    is_current: bool


@dataclass(frozen=True)
class Change:
    """One number of the version and of what is live."""

    measure: str
    where: str
    before_version: str
    before: str
    now: str
    change: str
    look: str


@dataclass(frozen=True)
class Bar:
    """A period in the figure of what ran."""

    x: float
    y: float
    width: float
    look: str
    label: str
    label_x: float
    label_look: str
    title: str


@dataclass(frozen=True)
class Lane:
    """One slot in that figure."""

    label: str
    y: float
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Figure:
    """What ran when.

    Attributes:
        left: where the names of the lanes end.
        inner: width of the rest, which a narrow page scrolls beside them.
    """

    lanes: Sequence[Lane]
    ticks: Sequence[tuple[float, str]]
    left: float
    inner: float
    height: float
    axis: float
    text: str


def steps_of(release: Release) -> list[Step]:
    """The way of a release, its present place included."""
    state = release.get_state()
    if state in (ReleaseState.REJECTED, ReleaseState.WITHDRAWN):
        return [
            Step("requested", release.requested_at, is_done=True, is_current=False),
            Step(state.value, release.state_changed_at, is_done=False, is_current=True),
        ]
    reached = [ReleaseState.REQUESTED, ReleaseState.APPROVED, ReleaseState.RELEASED, ReleaseState.RETIRED].index(state)
    moments = [release.requested_at, release.decided_at, release.released_at, release.ended_at]
    words = ["requested", "approved", "released", "retired"]
    return [
        Step(word, moment if place <= reached else None, is_done=place <= reached, is_current=place == reached)
        for place, (word, moment) in enumerate(zip(words, moments, strict=True))
    ]


def gate_counts(release: Release) -> list[tuple[Badge, int]]:
    """How many conditions came out how, at the decision or until then at the request."""
    gates = GateDocument.from_dict((release.evidence_at_decision or release.evidence_at_request)["gates"])
    return [(badge_of(result), count) for result in Result if (count := gates.count(result))]


def changes_of(rows: Iterable[Mapping[str, Any]]) -> list[Change]:
    """The rows of a difference."""
    return [
        Change(
            measure=row["measure"],
            where=row["where"],
            before_version=row["before_version"],
            before=_number(row["before"], row["unit"]),
            now=_number(row["now"], row["unit"]),
            change=_change(row),
            look="" if row["is_significant"] is False or row["is_better"] is None else _tone(row),
        )
        for row in rows
    ]


def figure_of(periods: Iterable[SlotPeriod], *, now: dt.datetime | None = None) -> Figure | None:
    """The figure of what ran in the last days; None where nothing did."""
    end = now or timezone.now()
    start = end - dt.timedelta(days=DAYS_SHOWN)
    lanes: dict[tuple[str, str], list[SlotPeriod]] = {}
    for period in periods:
        if period.ended_at is None or period.ended_at > start:
            lanes.setdefault((period.taxonomy.name, period.modality), []).append(period)
    if not lanes:
        return None

    def place(moment: dt.datetime) -> float:
        return LEFT + (RIGHT - LEFT) * max(0.0, (moment - start) / (end - start))

    found = [
        Lane(f"{name}, {modality}", row * ROW + 19, [_bar(one, row * ROW + 4.5, place, end) for one in reversed(rows)])
        for row, ((name, modality), rows) in enumerate(sorted(lanes.items()))
    ]
    days = [start + dt.timedelta(days=days) for days in range(0, DAYS_SHOWN, 30)]
    ticks = [(place(day), f"{day:%-d %b}") for day in days] + [(RIGHT, "today")]
    said = [f"{lane.label}: {', '.join(bar.title for bar in lane.bars)}." for lane in found]
    return Figure(
        lanes=found,
        ticks=ticks,
        left=LEFT,
        inner=RIGHT + 160 - LEFT,
        height=len(found) * ROW + 26,
        axis=len(found) * ROW + 4,
        text=f"What ran in the last {DAYS_SHOWN} days. {' '.join(said)}",
    )


def _bar(period: SlotPeriod, y: float, place: Any, end: dt.datetime) -> Bar:
    left, right = place(period.began_at), place(period.ended_at or end)
    width = max(right - left - 3, 2.0)
    label = f"{period.release.version}"
    fits = width > LETTER * len(label) + 12
    look = "span-live" if period.ended_at is None else "span-past"
    if period.end == PeriodEnd.ROLLED_BACK:
        look = "span-bad"
    is_last = period.ended_at is None
    title = f"{period.release.model_name} {label} since {period.began_at:%-d %b %Y}"
    if period.ended_at is not None:
        ended = PeriodEnd(period.end).label if period.end else ""
        title += f" until {period.ended_at:%-d %b %Y}, when {ended}"
    shown = label if fits or is_last else ""
    return Bar(
        x=left,
        y=y,
        width=width,
        look=look,
        label=shown,
        label_x=left + 8 if fits else right + 4,
        label_look="g-on" if is_last and fits else "g-label",
        title=title,
    )


def _number(value: float | None, unit: str) -> str:
    return NOTHING if value is None else shown_value(value, Unit[unit.upper()])


def _change(row: Mapping[str, Any]) -> str:
    if row["change"] is None:
        return NOTHING
    unit = Unit[row["unit"].upper()]
    size = shown_value(abs(row["change"]), unit)
    if unit in {Unit.RATE, Unit.PERCENT}:  # of two shares in per cent
        size = f"{size.removesuffix('%').rstrip()} points"
    if row["change"] == 0:
        return "="
    sign = "+" if row["change"] > 0 else MINUS
    mark = "≈ " if row["is_significant"] is False else "▲ " if row["is_better"] else "▼ "
    return f"{mark}{sign}{size}"


def _tone(row: Mapping[str, Any]) -> str:
    return "t-ok" if row["is_better"] else "t-bad"
