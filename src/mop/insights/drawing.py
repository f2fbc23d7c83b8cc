"""The columns of a chart: weeks, by how their versions stand now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mop.insights.analysis import RESULTS, Week
from mop.registry.statuses import RevisionStatus
from mop.ui.charts import Tick, nice_ticks, number, place

WIDTH, LEFT, RIGHT, TOP, FLOOR = 560.0, 30.0, 552.0, 8.0, 162.0
FILLED = 0.75  # of the room of a week
NAMES_MOST = 14
COLOURS = {
    RevisionStatus.VERIFIED: "c1",
    RevisionStatus.VERIFY_FAILED: "c2",
    RevisionStatus.VULNERABLE: "c5",
    RevisionStatus.CANCELLED: "c6",
}


@dataclass(frozen=True)
class Piece:
    """A part of a column."""

    look: str
    x: str
    y: str
    width: str
    height: str
    title: str


@dataclass(frozen=True)
class Columns:
    """The drawing; positions are attributes of SVG."""

    pieces: Sequence[Piece]
    lines: Sequence[Tick]
    names: Sequence[Tick]
    legend: Sequence[tuple[str, str]]


def columns_of(weeks: Sequence[Week]) -> Columns:
    """Stacked columns, the verified ones lowest."""
    ticks = nice_ticks(max([week.total for week in weeks] or [1]) or 1)
    scale = (FLOOR - TOP) / ticks[-1]
    room = (RIGHT - LEFT) / max(1, len(weeks))
    pieces, names = [], []
    every = -(-len(weeks) // NAMES_MOST)
    for number_of_week, week in enumerate(weeks):
        left = LEFT + room * (number_of_week + (1 - FILLED) / 2)
        top = FLOOR
        for status, count in week.counts.items():
            if count:
                top -= count * scale
                title = f"week of {week.monday:%d %b %Y}: {count} {status.value}"
                size = (place(room * FILLED), place(max(0.5, count * scale - 1)))
                pieces.append(Piece(COLOURS[status], place(left), place(top), *size, title))
        if number_of_week % every == 0:
            names.append(Tick(place(left + room * FILLED / 2), f"{week.monday.isocalendar().week}"))
    lines = [Tick(place(FLOOR - tick * scale), number(tick)) for tick in ticks if tick == int(tick)]
    return Columns(pieces, lines, names, [(COLOURS[status], status.value) for status in RESULTS])
