"""Line charts as SVG: what stands where, computed here and drawn by `components/chart.html`.

A series is told by its marker as well as its colour, a run by the dashes of its lines. Colours are CSS variables, so
light and dark are one drawing; positions are attributes, so the drawing needs no style of its own. Places along x are
equally far apart, one for each value that any series has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 440.0, 190.0
TOP, RIGHT, BOTTOM = 8.0, 12.0, 40.0
CHARACTER = 7.6  # width of a digit in the axes' font; a percent sign is wider
LABEL_GAP = 10.0
FLOOR = HEIGHT - BOTTOM
TICKS = 5
MOST_DECIMALS = 6
COLOURS = 6
DASHES = 4
MARK = 3.4
READOUT_LINE, READOUT_CHARACTER, READOUT_PADDING = 14.0, 6.4, 6.0

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
# one path for each series, around the origin
_SHAPES = (
    "M-{r} 0a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0Z",
    "M0 -{w}L{w} 0L0 {w}L-{w} 0Z",
    "M-{r} -{r}H{r}V{r}H-{r}Z",
    "M0 -{w}L{w} {r}H-{w}Z",
    "M0 {w}L-{w} -{r}H{w}Z",
    "M-{w} -{w}L{w} {w}M-{w} {w}L{w} -{w}",
)


@dataclass(frozen=True)
class Series:
    """One line: y by x, None where there is no value; `run` tells whose line it is where several are laid over."""

    name: str
    points: Mapping[float, float | None]
    run: str = ""

    @property
    def label(self) -> str:
        """Its name in the table and in tooltips."""
        return f"{self.run} {self.name}".strip()


@dataclass(frozen=True)
class Tick:
    """A text at an axis, and where."""

    at: str
    text: str


@dataclass(frozen=True)
class Mark:
    """One value: where, and the tooltip."""

    x: str
    y: str
    tip: str


@dataclass(frozen=True)
class Line:
    """A series as it is drawn; `colour` also chooses the marker, `dash` is 0 for an unbroken line."""

    colour: int
    dash: int
    shape: str
    path: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Readout:
    """All values at one place along x, shown while the pointer is there.

    Attributes:
        left, width: of the strip that the pointer must be over.
        at: of the line through the place.
        box_left, box_width, box_height: of what holds the texts.
        lines: text and its place, x first.
    """

    left: str
    width: str
    at: str
    box_left: str
    box_width: str
    box_height: str
    lines: tuple[Tick, ...]
    text_left: str


@dataclass(frozen=True)
class Legend:
    """One entry of the legend: a series (with its marker), or a run (with its dashes)."""

    text: str
    colour: int
    dash: int
    shape: str


@dataclass(frozen=True)
class Drawing:
    """Everything that the template writes; numbers are texts already.

    Attributes:
        id: of the figure; those of its parts begin with it.
        summary: what the chart shows, for people who do not see it.
        marked_at: of the vertical line through the marked place; empty without one.
        head, rows: of the table behind it; the first column is x.
    """

    id: str
    title: str
    summary: str
    width: str
    height: str
    left: str
    right: str
    floor: str
    x_label: str
    x_label_at: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    marked_at: str
    readouts: tuple[Readout, ...]
    legend: tuple[Legend, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.rows


def draw(
    chart_id: str,
    *,
    title: str,
    x_label: str,
    series: Sequence[Series],
    unit: str = "",
    marked: float | None = None,
) -> Drawing:
    """The drawing of some series; y begins at 0.

    Args:
        chart_id: unique on the page.
        title: of the chart, with the unit.
        x_label: under the x axis.
        series: in the order of the legend; those of one name look alike but for their dashes.
        unit: is written behind the values of the axis and of tooltips, such as `%`.
        marked: a place along x that a vertical line marks.
    """
    names, runs = list(dict.fromkeys(one.name for one in series)), list(dict.fromkeys(one.run for one in series))
    values = [value for one in series for value in one.points.values() if value is not None]
    xs = sorted({x for one in series for x in one.points})
    ticks = nice_ticks(max(values, default=0.0))
    tick_texts = [f"{number(tick, step=ticks[1])}{unit}" for tick in ticks]
    left = LABEL_GAP + CHARACTER * max(map(len, tick_texts))
    plot = _Plot(left, tuple(xs), ticks[-1])
    return Drawing(
        id=chart_id,
        title=title,
        summary=_summary(title, x_label, xs, names, [run for run in runs if run]),
        width=place(WIDTH),
        height=place(HEIGHT),
        left=place(left),
        right=place(WIDTH - RIGHT),
        floor=place(FLOOR),
        x_label=x_label,
        x_label_at=place((left + WIDTH - RIGHT) / 2),
        x_ticks=plot.x_ticks(),
        y_ticks=tuple(Tick(place(plot.y(tick)), text) for tick, text in zip(ticks, tick_texts, strict=True)),
        lines=tuple(
            plot.line(one, names.index(one.name), runs.index(one.run), x_label=x_label, unit=unit) for one in series
        ),
        marked_at=place(plot.x(xs.index(marked))) if marked in xs else "",
        readouts=tuple(plot.readout(index, x, series, x_label=x_label, unit=unit) for index, x in enumerate(xs)),
        legend=_legend(names, runs),
        head=(x_label, *(one.label for one in series)),
        rows=tuple((number(x), *(_cell(one.points.get(x), unit) for one in series)) for x in xs),
    )


def nice_ticks(largest: float, count: int = TICKS) -> list[float]:
    """At most `count` + 1 round numbers from 0 to at least `largest`, equally far apart; 0 and 1 where all is 0."""
    if not math.isfinite(largest) or largest <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(largest / count))
    step = next(nice * power for nice in _NICE if nice * power * count >= largest * (1 - 1e-9))
    return [step * place for place in range(math.ceil(largest / step - 1e-9) + 1)]


def number(value: float, *, step: float | None = None) -> str:
    """A number for people: with as many decimals as `step` has, or three digits that tell something."""
    if value == 0:
        return "0"
    if step is not None:
        digits = next(digits for digits in range(MOST_DECIMALS + 1) if digits == MOST_DECIMALS or _whole(step, digits))
    else:
        digits = min(MOST_DECIMALS, max(0, 2 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def place(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _whole(value: float, digits: int) -> bool:
    return math.isclose(value * 10**digits, round(value * 10**digits), rel_tol=1e-9)


@dataclass(frozen=True)
class _Plot:
    """The area between the axes: equally far places along x, a linear y from 0."""

    left: float
    xs: tuple[float, ...]
    largest: float

    @property
    def step(self) -> float:
        return (WIDTH - RIGHT - self.left) / max(len(self.xs), 1)

    def x(self, index: int) -> float:
        return self.left + self.step * (index + 0.5)

    def y(self, value: float) -> float:
        return FLOOR - (FLOOR - TOP) * value / self.largest

    def x_ticks(self) -> tuple[Tick, ...]:
        """As many as fit beside each other."""
        texts = [number(x) for x in self.xs]
        every = max(1, math.ceil((CHARACTER * max(map(len, texts), default=1) + LABEL_GAP) / self.step))
        return tuple(Tick(place(self.x(index)), text) for index, text in enumerate(texts) if index % every == 0)

    def readout(self, index: int, x: float, series: Sequence[Series], *, x_label: str, unit: str) -> Readout:
        """The values of every series at one place; the box stands on the side with more room."""
        texts = [f"{x_label} {number(x)}"]
        values = [(one.label, one.points.get(x)) for one in series]
        texts += [f"{label} {number(value)}{unit}" for label, value in values if value is not None]
        at = self.x(index)
        width = READOUT_CHARACTER * max(map(len, texts)) + 2 * READOUT_PADDING
        is_right = at < (self.left + WIDTH - RIGHT) / 2
        left = min(at + LABEL_GAP, WIDTH - width) if is_right else max(0.0, at - LABEL_GAP - width)
        return Readout(
            left=place(at - self.step / 2),
            width=place(self.step),
            at=place(at),
            box_left=place(left),
            box_width=place(width),
            box_height=place(READOUT_LINE * len(texts) + READOUT_PADDING),
            text_left=place(left + READOUT_PADDING),
            lines=tuple(Tick(place(TOP + READOUT_LINE * (row + 1) - 2), text) for row, text in enumerate(texts)),
        )

    def line(self, series: Series, colour: int, dash: int, *, x_label: str, unit: str) -> Line:
        marks: list[Mark] = []
        path = ""
        is_drawing = False
        for index, x in enumerate(self.xs):
            value = series.points.get(x)
            if value is None:
                # where another run has a step and this one has none, the line goes on; where it measured nothing, not
                is_drawing = is_drawing and x not in series.points
                continue
            at = (place(self.x(index)), place(self.y(value)))
            path += f"{'L' if is_drawing else 'M'}{at[0]} {at[1]}"
            is_drawing = True
            marks.append(Mark(*at, f"{series.label}: {number(value)}{unit} at {x_label.lower()} {number(x)}"))
        return Line(colour % COLOURS + 1, dash % DASHES, _shape(colour), path, tuple(marks))


def _legend(names: Sequence[str], runs: Sequence[str]) -> tuple[Legend, ...]:
    """Series with their markers, then runs with their dashes where there are several."""
    entries = [Legend(name, index % COLOURS + 1, 0, _shape(index)) for index, name in enumerate(names)]
    if len(runs) > 1:
        entries += [Legend(run, 0, index % DASHES, "") for index, run in enumerate(runs)]
    return tuple(entries)


def _shape(index: int) -> str:
    r, w = MARK, MARK * 1.3
    return _SHAPES[index % len(_SHAPES)].format(r=place(r), d=place(2 * r), w=place(w))


def _summary(title: str, x_label: str, xs: Sequence[float], names: Sequence[str], runs: Sequence[str]) -> str:
    if not xs:
        return f"{title}: nothing was measured yet."
    span = f"{x_label} {number(xs[0])}" if len(xs) == 1 else f"{x_label} {number(xs[0])} to {number(xs[-1])}"
    of = f" of {', '.join(runs)}" if runs else ""
    return f"{title}: {', '.join(names)}{of}, by {span}. The table below holds the values."


def _cell(value: float | None, unit: str) -> str:
    return "" if value is None else f"{number(value)}{unit}"
