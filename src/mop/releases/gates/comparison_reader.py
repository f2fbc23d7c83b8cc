"""Comparisons of a condition: operator, numbers with their units, and whether the comparison says anything."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from mop.releases.gates.conditions import (
    Comparison,
    FindingsMeasure,
    Measure,
    Operator,
    Rate,
    Unit,
    plain,
    unit_of,
)
from mop.releases.gates.line_reader import NUMBER, WORD, LineReader, Token, WrongLine
from mop.releases.gates.other_words import COMPARISONS, UNITS, behind

_PER_CENT_MIN = 2  # a smaller number, such as 1.5, is rather a slip
OPERATORS = (">", ">=", "<", "<=", "in")


class ComparisonReader(LineReader):
    """Reads what follows a measure."""

    def operator(self, measure: Measure) -> Operator:
        token = self.token
        for operator in Operator:
            if self.accept(operator):
                return operator
        if token.text in ("=", "==", "is"):
            if isinstance(measure, FindingsMeasure):
                hint = "Write “<= 0” for none, or a range: in [0, 3]."
            elif isinstance(measure, Rate):
                hint = "Write “>= 100 %”, or a range: in [95 %, 100 %]."
            else:
                hint = "Write “>=” or “<=”, or a range: in [0.8, 0.9]."
            raise WrongLine(token.start, "A measured value is rarely equal to a number.", hint)
        if token.text in ("!=", "≠"):
            raise WrongLine(token.start, "“Not equal” is no condition.", "Use >, >=, <, <= or in.")
        if token.kind == NUMBER:
            raise WrongLine(token.start, "A comparison is missing before the number.", f"Write “>= {token.text}”.")
        if token.text == ":":
            raise WrongLine(token.start, "A comparison follows here, not a colon.", "Delete the colon.")
        hint = "" if self.place == self.named else COMPARISONS.get(token.text.lower(), "")
        raise self.wrong(OPERATORS, hint, what="a comparison")

    def comparison(self, operator: Operator, measure: Measure) -> tuple[Comparison, bool]:
        start = self.token
        numbers = list(self.range() if operator is Operator.IN else (self.quantified(),))
        to_previous = self.previous()
        unit = Unit.RATIO if to_previous else unit_of(measure)
        values = [_value(one, unit) for one in numbers]
        if len(values) == 1:
            comparison = Comparison(operator, values[0])
        elif values[1] < values[0]:
            low, high = (unit.text(value) for value in reversed(values))
            raise WrongLine(start.start, "The range ends before it begins.", f"Write [{low}, {high}].")
        else:
            comparison = Comparison(operator, *values)
        _check_use(comparison, unit, start)
        return comparison, to_previous

    def previous(self) -> bool:
        start = self.token
        if not (self.accept("times") or self.accept("of")):
            return False
        self.accept("the")
        if not self.accept("previous"):
            raise WrongLine(start.start, "Times what?", "Write “times the previous release”.")
        self.expect("release", "Write “times the previous release”.")
        return True

    def range(self) -> tuple[_Quantified, _Quantified]:
        hint = "A range is written as [0.8, 0.9]; both ends belong to it."
        self.expect("[", hint)
        low = self.quantified()
        self.expect(",", hint)
        high = self.quantified()
        if self.is_next(","):
            raise WrongLine(
                self.token.start, "A range has two numbers.", "Numbers have a point, not a comma: [0.8, 0.9]."
            )
        self.expect("]", hint)
        return low, high

    def quantified(self) -> _Quantified:
        start = self.token
        number = self.number("a number")
        unit = self.token
        if unit.text == "%" or unit.text.lower() in ("ms", "s", "rps"):
            self.take()
            return _Quantified(number, unit.text.lower(), start)
        if unit.kind == WORD and unit.text.lower() not in ("times", "of", "or", "and"):
            if hint := behind(unit.text):
                raise WrongLine(unit.start, f"The condition ends before {unit.shown}.", hint)
            near = difflib.get_close_matches(unit.text.lower(), UNITS, 1, 0.6)
            hint = f"Write {plain(number)} {UNITS[near[0]]}." if near else ""
            raise WrongLine(unit.start, f"“{unit.text}” is no unit. Known are %, ms, s and RPS.", hint)
        return _Quantified(number, "", start)


@dataclass(frozen=True)
class _Quantified:
    number: Decimal
    unit: str
    token: Token


def _value(given: _Quantified, unit: Unit) -> Decimal:
    """A threshold in the unit of what is compared."""
    number, said, start = given.number, given.unit, given.token.start
    if said not in _SAID[unit]:
        raise WrongLine(start, f"The value is {unit.value}; “{said}” does not fit.")
    if not said and unit in (Unit.PERCENT, Unit.MILLISECONDS):
        what = "A utilization is in per cent." if unit is Unit.PERCENT else "A latency has a unit."
        raise WrongLine(start, what, f"Write {unit.text(number)}.")
    if said == "%" and unit is Unit.SHARE and 0 < number < 1:
        hint = f"Write {plain(number)}, or {plain(number * 100)} %."
        raise WrongLine(start, f"{plain(number)} % is {plain(number / 100)}, less than any usable model has.", hint)
    value = number
    if said == "%" and unit is not Unit.PERCENT:
        value = number / 100
    elif said == "s":
        value = number * 1000
    if unit is Unit.COUNT and value != int(value):
        raise WrongLine(start, "The number of findings is a whole number.")
    most = _BOUNDS.get(unit, (None, None))[1]
    if most is not None and value > most:
        hint = f"Write {plain(number)} %." if not said and _PER_CENT_MIN <= number <= 100 else ""  # noqa: PLR2004
        raise WrongLine(
            start, f"The value is at most {unit.text(most)}, not {plain(number)}{f' {said}' if said else ''}.", hint
        )
    return value


_SAID: Mapping[Unit, tuple[str, ...]] = {
    Unit.SHARE: ("", "%"),
    Unit.RATE: ("", "%"),
    Unit.PERCENT: ("", "%"),
    Unit.MILLISECONDS: ("", "ms", "s"),
    Unit.RPS: ("", "rps"),
    Unit.COUNT: ("",),
    Unit.RATIO: ("", "%"),
}
_BOUNDS: Mapping[Unit, tuple[Decimal, Decimal | None]] = {
    Unit.SHARE: (Decimal(0), Decimal(1)),
    Unit.RATE: (Decimal(0), Decimal(1)),
    Unit.PERCENT: (Decimal(0), Decimal(100)),
}


def _check_use(comparison: Comparison, unit: Unit, token: Token) -> None:
    """Refuse what holds always or never: its author meant something else."""
    low, high = _BOUNDS.get(unit, (Decimal(0), None))
    value, operator = comparison.threshold, comparison.operator
    always = (
        (operator is Operator.AT_LEAST and value <= low)
        or (operator is Operator.AT_MOST and high is not None and value >= high)
        or (operator is Operator.IN and value <= low and high is not None and comparison.ends[1] >= high)
    )
    never = (operator is Operator.BELOW and value <= low) or (
        operator is Operator.ABOVE and high is not None and value >= high
    )
    if always or never:
        message = f"The condition {'always' if always else 'never'} holds."
        reach = f"at least {unit.text(low)}" if high is None else f"between {unit.text(low)} and {unit.text(high)}"
        raise WrongLine(token.start, message, f"The value is always {reach}.")
