"""Figures beside numbers, as SVG and HTML: intervals, heat maps, plots of two shares against each other.

As in `charts`, colours are classes and positions are attributes, so light and dark are one drawing and no style of its
own is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString

from mop.ui.charts import COLOURS, Legend, Tick, place

# an interval's drawing: its axis reaches from FIRST to LAST
FIRST, LAST = 2.0, 102.0
STEP = 0.05
HEATS = 9
PLOT_WIDTH, PLOT_HEIGHT = 228.0, 210.0
LEFT, RIGHT_END, CEILING, FLOOR = 36.0, 218.0, 8.0, 174.0
MARKS = 10
_FIFTHS = 5
_SHAPE = "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z"


@dataclass(frozen=True)
class Span:
    """The part of 0 to 1 that a column of intervals shows; it stands in the column's head."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.2f} – {self.high:.2f}"  # noqa: RUF001 - an en dash between numbers

    def at(self, value: float) -> str:
        """Where a value stands; outside the span at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return place(FIRST + (LAST - FIRST) * share)


def span_of(values: Iterable[float | None]) -> Span:
    """A span of twentieths that holds all values; 0 to 1 without any."""
    known = [value for value in values if value is not None]
    if not known:
        return Span(0.0, 1.0)
    low = max(0.0, math.floor((min(known) - 1e-9) / STEP) * STEP)
    high = min(1.0, math.ceil((max(known) + 1e-9) / STEP) * STEP)
    if high - low < 2 * STEP:
        low, high = (high - 2 * STEP, high) if high > 1 - STEP else (low, low + 2 * STEP)
    return Span(round(low, 2), round(high, 2))


def interval_figure(
    span: Span,
    value: float | None,
    ends: tuple[float, float] | None,
    *,
    baseline: float | None = None,
    thresholds: Sequence[float] = (),
    look: str = "",
    said: str = "",
) -> SafeString:
    """Dot and whisker of a value and its 95 % interval; empty where the value is undefined.

    Args:
        span: of the column.
        value: the estimate.
        ends: of its interval, or None.
        baseline: where the dashed line stands, or None.
        thresholds: where upright lines stand.
        look: a class for the colour, such as `c1` or `c-warn`.
        said: what is read out; empty: the numbers themselves.
    """
    if value is None:
        return SafeString("")
    reference = "" if baseline is None else f'<path class="ci__ref" d="M{span.at(baseline)} 1V15"/>'
    whisker = ""
    numbers = f"{value:.3f}, without an interval"
    if ends is not None:
        low, high = map(span.at, ends)
        whisker = f'<path class="ci__bar" d="M{low} 8H{high}M{low} 5V11M{high} 5V11"/>'
        numbers = f"95 % interval {ends[0]:.3f} to {ends[1]:.3f}"
    lines = "".join(f'<path class="ci__thr" d="M{span.at(one)} 1V15"/>' for one in thresholds)
    return SafeString(  # numbers, a class of ours, and what is said is escaped
        f'<svg class="ci{f" {look}" if look else ""}" viewBox="0 0 104 16" role="img"'
        f' aria-label="{escape(said) if said else numbers}">'
        f'<path class="ci__axis" d="M2 8H102"/>{reference}{whisker}'
        f'<circle class="ci__dot" cx="{span.at(value)}" cy="8" r="3.2"/>{lines}</svg>'
    )


@dataclass(frozen=True)
class HeatCell:
    """One cell of a heat map: its text, its step of colour from 0 to 9, whether it is on the diagonal."""

    text: str
    heat: int
    is_right: bool


@dataclass(frozen=True)
class HeatRow:
    """One row of a heat map and its sum."""

    label: str
    cells: tuple[HeatCell, ...]
    total: str


@dataclass(frozen=True)
class HeatMap:
    """A table of counts whose colours are the cells' shares of their rows."""

    title: str
    corner: str
    head: str
    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]


def heat_maps(
    labels: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]], *, corner: str, head: str, of: str
) -> tuple[HeatMap, HeatMap]:
    """The same table in counts and in per cent of its rows.

    Args:
        labels: of the rows.
        columns: their names; those with a row's label are its diagonal.
        counts: by row and column.
        corner: what rows are.
        head: what columns are.
        of: what the per cent are of.
    """
    return (
        HeatMap("Counts", corner, head, tuple(columns), _rows(labels, columns, counts, is_share=False)),
        HeatMap(f"Per cent of {of}", corner, head, tuple(columns), _rows(labels, columns, counts, is_share=True)),
    )


def _rows(
    labels: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]], *, is_share: bool
) -> tuple[HeatRow, ...]:
    found = []
    for label, row in zip(labels, counts, strict=True):
        total = sum(row)
        shares = [count / total if total else 0.0 for count in row]
        texts = [f"{100 * share:.1f}" for share in shares] if is_share else [f"{count:,}" for count in row]
        if not total and is_share:
            texts = ["–"] * len(row)  # noqa: RUF001 - an undefined share
        cells = (
            HeatCell(text, heat(share), column == label)
            for text, share, column in zip(texts, shares, columns, strict=True)
        )
        found.append(HeatRow(label, tuple(cells), f"{total:,}"))
    return tuple(found)


def heat(share: float) -> int:
    """The step of colour of a share: 0 only for nothing at all."""
    return 0 if share <= 0 else min(HEATS, 1 + int(share * HEATS))


@dataclass(frozen=True)
class Curve:
    """One line of a plot: its name, and points of two shares in the order in which they are joined."""

    name: str
    points: Sequence[tuple[float, float]]
    marks: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class Bar:
    """A grey bar behind a plot's lines: from where to where, and how high, as shares."""

    low: float
    high: float
    height: float


@dataclass(frozen=True)
class PlotLine:
    """A line as it is drawn; `dash` is 0 for an unbroken one."""

    name: str
    colour: int
    dash: int
    path: str
    marks: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PlotBar:
    """A bar as it is drawn."""

    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Plot:
    """Everything that `components/plot.html` writes."""

    id: str
    title: str
    summary: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    bars: tuple[PlotBar, ...]
    lines: tuple[PlotLine, ...]
    legend: tuple[Legend, ...]
    diagonal: str
    shape: str = _SHAPE


def plot(
    plot_id: str,
    curves: Sequence[Curve],
    *,
    title: str,
    summary: str,
    x_label: str,
    y_label: str,
    has_diagonal: bool = False,
    bars: Sequence[Bar] = (),
) -> Plot:
    """A square plot of two shares from 0 to 1.

    Args:
        plot_id: unique on the page.
        curves: in the order of the legend.
        title: over it.
        summary: what it shows, for people who do not see it.
        x_label: below it.
        y_label: beside it.
        has_diagonal: whether a dashed line from corner to corner stands for chance.
        bars: behind the lines.
    """
    fifths = [(number / _FIFTHS, f"{number / _FIFTHS:g}") for number in range(_FIFTHS + 1)]
    return Plot(
        id=plot_id,
        title=title,
        summary=summary,
        x_label=x_label,
        y_label=y_label,
        x_ticks=tuple(Tick(_x(share), text) for share, text in fifths),
        y_ticks=tuple(Tick(_y(share), text) for share, text in fifths),
        bars=tuple(
            PlotBar(_x(bar.low), _y(bar.height), place((bar.high - bar.low) * (RIGHT_END - LEFT) - 1), _height(bar))
            for bar in bars
        ),
        lines=tuple(_line(number, curve) for number, curve in enumerate(curves)),
        legend=tuple(
            Legend(curve.name, number % COLOURS + 1, number // COLOURS, "") for number, curve in enumerate(curves)
        )
        if len(curves) > 1
        else (),
        diagonal=f"M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" if has_diagonal else "",
    )


def _line(number: int, curve: Curve) -> PlotLine:
    path = "".join(f"{'L' if index else 'M'}{_x(x)} {_y(y)}" for index, (x, y) in enumerate(curve.points))
    marks = tuple((_x(x), _y(y)) for x, y in curve.marks)
    return PlotLine(curve.name, number % COLOURS + 1, number // COLOURS, path, marks)


def _x(share: float) -> str:
    return place(LEFT + (RIGHT_END - LEFT) * share)


def _y(share: float) -> str:
    return place(FLOOR - (FLOOR - CEILING) * share)


def _height(bar: Bar) -> str:
    return place((FLOOR - CEILING) * bar.height)
