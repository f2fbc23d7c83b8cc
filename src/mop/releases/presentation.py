"""Gates as pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.safestring import SafeString

from mop.releases.gates.conditions import Unit
from mop.releases.gates.report import GateDocument, GatePart, GateRow
from mop.releases.gates.verdicts import Result
from mop.ui.figures import Span, interval_figure

TONES = {Result.PASS: "ok", Result.CLOSE: "warn", Result.FAIL: "bad", Result.NOT_MEASURED: "quiet"}
SPAN_ROOM = 0.15
MEANINGS = {
    Result.PASS: "The value is what the condition asks for.",
    Result.CLOSE: "It is, but the 95 % interval holds the threshold.",
    Result.FAIL: "The value is not what the condition asks for.",
    Result.NOT_MEASURED: "There is no value. That is never a pass.",
}


@dataclass(frozen=True)
class Badge:
    """A result as a badge."""

    value: str
    tone: str
    meaning: str


@dataclass(frozen=True)
class Line:
    """One value of a condition, or a condition without any."""

    where: str
    measured: str
    interval: str
    margin: str
    figure: SafeString
    of: str
    badge: Badge
    note: str
    step: str


@dataclass(frozen=True)
class ShownRow:
    """One condition with its lines."""

    row: GateRow
    badge: Badge
    lines: Sequence[Line]


@dataclass(frozen=True)
class Group:
    """The conditions of one gate on one task."""

    title: str
    rows: Sequence[ShownRow]


def badge_of(result: str) -> Badge:
    """A result as a badge."""
    found = Result(result)
    return Badge(found.value, TONES[found], MEANINGS[found])


def counts(document: GateDocument) -> list[tuple[Badge, int]]:
    """How many conditions came out how; what did not occur is left out."""
    return [(badge_of(result), count) for result in Result if (count := document.count(result))]


def groups(document: GateDocument) -> list[Group]:
    """The conditions by gate and task, in their order."""
    found: dict[str, list[ShownRow]] = {}
    for row in document.rows:
        title = f"From {row.source} {row.gate}"
        if row.task and row.source == "service":
            title += f", on task {row.task}"
        lines = [_line(row, part) for part in row.parts]
        if not lines:
            lines = [Line("", "", "", "", SafeString(""), "", badge_of(row.result), row.why, "")]
        found.setdefault(title, []).append(ShownRow(row, badge_of(row.result), lines))
    return [Group(title, rows) for title, rows in found.items()]


def failing_text(document: GateDocument, *, most: int = 5) -> str:
    """The conditions that do not hold, each with what was measured; the first `most` of them."""
    failing = [row for row in document.rows if row.result in (Result.FAIL, Result.NOT_MEASURED)]
    texts = [f"{row.condition} (of {row.source} {row.gate}): {_found(row)}." for row in failing[:most]]
    if len(failing) > most:
        texts.append(f"And {len(failing) - most} more.")
    return " ".join(texts)


def _found(row: GateRow) -> str:
    """What stands against a condition: the values that fail, or why there is none."""
    lines = [_line(row, part) for part in row.parts if part.result == row.result]
    said = [f"{line.where} {line.measured or 'not measured'}".strip() for line in lines]
    return ", ".join(said) or row.why.rstrip(".") or row.result


def _line(row: GateRow, part: GatePart) -> Line:
    unit = Unit[row.unit.upper()]
    measured = "" if part.value is None else shown_value(part.value, unit)
    interval, margin, figure = "", "", SafeString("")
    if part.value is not None and part.low is not None and part.high is not None:
        interval = f"{shown_value(part.low, unit)} to {shown_value(part.high, unit)}"
        margin = shown_value((part.high - part.low) / 2, unit)
        figure = _figure(row, part.value, (part.low, part.high), badge_of(part.result), interval)
    # a rate is of one thing, which the condition names already
    where = "" if part.where == row.measure else part.where
    return Line(where, measured, interval, margin, figure, part.of, badge_of(part.result), part.reason, part.step)


def _figure(row: GateRow, value: float, ends: tuple[float, float], badge: Badge, interval: str) -> SafeString:
    """Value and interval beside the threshold: the span is that of what is shown, with some room."""
    shown = (value, *ends, *row.ends)
    room = SPAN_ROOM * ((max(shown) - min(shown)) or 1.0)
    return interval_figure(
        Span(min(shown) - room, max(shown) + room),
        value,
        ends,
        thresholds=row.ends,
        look=f"c-{badge.tone}",
        said=f"95 % interval {interval}; the condition asks for {row.threshold}",
    )


def shown_value(value: float, unit: Unit) -> str:
    """A value with its unit."""
    digits = {Unit.SHARE: 4, Unit.RATIO: 4, Unit.RATE: 4, Unit.COUNT: 0}.get(unit, 1)
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits))
    return unit.text(rounded)
