"""From the text of conditions to conditions, one on each line. docs/gates.md has the grammar.

Every fault says where it is and, where it can be guessed, what to write instead. All faulty lines are told at once, of
each line the first fault.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from mop.releases.gates.conditions import (
    Average,
    Comparison,
    Condition,
    Cut,
    EvaluationMeasure,
    FindingsMeasure,
    LoadMeasure,
    LoadOption,
    Measure,
    Metric,
    Named,
    Operator,
    Quantifier,
    Quantity,
    Rate,
    Unit,
    plain,
    quoted,
    unit_of,
)
from mop.scanning.findings import Severity

_T = TypeVar("_T")

MOST_CONDITIONS = 100
LONGEST_LINE = 1_000


@dataclass(frozen=True)
class Fault:
    """What is wrong in a line.

    Attributes:
        line: from 1.
        column: of the first character that is wrong, from 1.
        hint: what to write instead; empty where that can not be known.
    """

    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"Line {self.line}, column {self.column}: {self.message}"
        return f"{text} {self.hint}" if self.hint else text


class GateSyntaxError(ValueError):
    """The text is no list of conditions.

    Attributes:
        faults: the first of every faulty line, in their order.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def parse(text: str) -> tuple[Condition, ...]:
    """The conditions of a text; empty lines and what follows a `#` outside quotes say nothing.

    Raises:
        GateSyntaxError: a line is no condition, or there are too many.
    """
    conditions: list[Condition] = []
    faults: list[Fault] = []
    seen: dict[Condition, int] = {}
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        try:
            condition = _condition(line)
        except _Wrong as wrong:
            faults.append(Fault(number, wrong.start + 1, wrong.message, wrong.hint))
            continue
        if condition is None:
            continue
        if condition in seen:
            message = f"Line {seen[condition]} has the same condition."
            faults.append(Fault(number, 1, message, "Delete one of the two."))
        seen.setdefault(condition, number)
        conditions.append(condition)
    if len(conditions) > MOST_CONDITIONS:
        faults.append(Fault(number, 1, f"A gate has at most {MOST_CONDITIONS} conditions, not {len(conditions)}."))
    if faults:
        raise GateSyntaxError(faults)
    return tuple(conditions)


def _condition(line: str) -> Condition | None:
    if len(line) > LONGEST_LINE:
        raise _Wrong(LONGEST_LINE, f"The line has more than {LONGEST_LINE:,} characters.")
    tokens = _tokens(line)
    return None if tokens[0].kind == _END else _Line(tokens).condition()


class _Wrong(Exception):  # the first fault of a line, on its way to `parse`
    def __init__(self, start: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.start, self.message, self.hint = start, message, hint


# Tokens --------------------------------------------------------------------------------------------------------------

_STRING, _NUMBER, _WORD, _SYMBOL, _END = "string", "number", "word", "symbol", "end"
_TOKEN = re.compile(
    r"""
    (?P<space>\s+|\#.*)
    | "(?P<string>(?:[^"]|"")*)"
    | (?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
    | (?P<word>[^\W\d](?:[\w.-]*\w)?)
    | (?P<symbol>>=|<=|==|!=|=>|=<|[<>=≥≤≠\[\](){},:;|%])
    """,
    re.VERBOSE,
)
_SAME = {"≥": ">=", "≤": "<=", "=>": ">=", "=<": "<="}
_CURLY = "“”„«»‘’'"  # noqa: RUF001 # what text processors make of quotes


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def shown(self) -> str:
        """As a message names it."""
        return "the end of the line" if self.kind == _END else f"“{self.text}”"


def _tokens(line: str) -> list[_Token]:
    found = []
    place = 0
    while place < len(line):
        match = _TOKEN.match(line, place)
        if match is None:
            raise _unreadable(line, place)
        kind = str(match.lastgroup)
        if kind != "space":
            text = match[kind]
            text = text.replace('""', '"') if kind == _STRING else _SAME.get(text, text)
            found.append(_Token(kind, text, match.start(), match.end()))
        place = match.end()
    return [*found, _Token(_END, "", len(line.rstrip()), len(line))]


def _unreadable(line: str, place: int) -> _Wrong:
    if line[place] == '"':
        return _Wrong(place, "This quote is never closed.", 'Write " behind the name.')
    if line[place] in _CURLY:
        return _Wrong(place, f"“{line[place]}” is no quote here.", 'Names stand in straight double quotes: "name".')
    if line[place] == "-":
        return _Wrong(place, "“-” has no meaning here.", "A range is written as [0.8, 0.9].")
    return _Wrong(place, f"“{line[place]}” has no meaning here.")


# Grammar -------------------------------------------------------------------------------------------------------------

_STARTS = (
    "all datasets",
    "any dataset",
    "dataset",
    "load test",
    "DSAT pass rate",
    "golden set pass rate",
    "open findings",
)
_LATENCIES = {
    "average": Quantity.LATENCY_AVERAGE,
    "P50": Quantity.LATENCY_P50,
    "P90": Quantity.LATENCY_P90,
    "P95": Quantity.LATENCY_P95,
    "P99": Quantity.LATENCY_P99,
}
_PARTS = {
    "CPU": Quantity.CPU,
    "memory": Quantity.MEMORY,
    "disk": Quantity.DISK,
    "GPU": Quantity.GPU,
}
_CUT_HINT = "Write the levels below the cut, then those above it: partition 0 | 1, 2, 3."
_OPERATORS = (">", ">=", "<", "<=", "in")


class _Line:
    """Reads the tokens of one line from left to right."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self.tokens = tokens
        self.place = 0

    # what is next

    @property
    def token(self) -> _Token:
        return self.tokens[self.place]

    def is_next(self, *words: str) -> bool:
        ahead = self.tokens[self.place : self.place + len(words)]
        return len(ahead) == len(words) and all(
            token.kind in (_WORD, _SYMBOL) and token.text.lower() == word.lower()
            for token, word in zip(ahead, words, strict=True)
        )

    def take(self) -> _Token:
        token = self.token
        self.place += token.kind != _END
        return token

    def accept(self, *words: str) -> bool:
        if not self.is_next(*words):
            return False
        self.place += len(words)
        return True

    def expect(self, word: str, hint: str = "") -> None:
        if not self.accept(word):
            raise self.wrong((word,), hint)

    def choice(self, choices: Mapping[str, _T], what: str) -> _T:
        """The value of the word that is next."""
        for word, value in choices.items():
            if self.accept(word):
                return value
        raise self.wrong(choices, what=what)

    def wrong(self, expected: Iterable[str], hint: str = "", what: str = "") -> _Wrong:
        """The next token is none of these."""
        words = list(expected)
        if not hint and self.token.kind == _WORD:
            near = difflib.get_close_matches(self.token.text.lower(), [word.lower() for word in words], 1, 0.6)
            hint = next((f"Did you mean “{word}”?" for word in words if near and word.lower() == near[0]), "")
        listed = " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
        wanted = f"{what}: {listed}" if what else f"“{listed}”" if len(words) == 1 else listed
        return _Wrong(self.token.start, f"Expected {wanted}; found {self.token.shown}.", hint)

    # the parts of a condition

    def condition(self) -> Condition:
        taxonomy = None
        if self.accept("taxonomy"):
            taxonomy = self.name("a taxonomy")
            self.expect(",", 'A comma follows the taxonomy: taxonomy "Hate", all datasets: macro F1 >= 0.8')
        begin = self.token
        measure = self.measure()
        operator = self.operator(measure)
        comparison, to_previous = self.comparison(operator, measure)
        if to_previous and isinstance(measure, FindingsMeasure):
            raise _Wrong(begin.start, "The number of findings has no ratio to the previous release.", "Give a number.")
        or_none = False
        if self.accept("or"):
            self.expect("none", "Only “or none” may follow; a second condition stands on a line of its own.")
            or_none = True
        self.end()
        return Condition(measure, comparison, to_previous, or_none, taxonomy)

    def end(self) -> None:
        if self.token.kind == _END:
            return
        if self.token.text.lower() in ("and", "&&", ",", ";"):
            hint = "Each condition stands on a line of its own; all of them must hold."
        elif self.token.kind == _NUMBER:
            hint = "Numbers have a point and no spaces: 0.8."
        else:
            hint = ""
        raise _Wrong(self.token.start, f"The condition ends before {self.token.shown}.", hint)

    def measure(self) -> Measure:
        if self.accept("load"):
            self.expect("test")
            return self.load_test()
        for rate, words in (
            (Rate.DSAT, ("DSAT", "pass", "rate")),
            (Rate.GOLDEN_SET, ("golden", "set", "pass", "rate")),
        ):
            if self.accept(words[0]):
                for word in words[1:]:
                    self.expect(word, f"Write “{rate}”.")
                return rate
        if self.accept("open"):
            self.expect("findings", "Write “open findings”.")
            return self.findings()
        return self.evaluation()

    def findings(self) -> FindingsMeasure:
        for severity in Severity:
            if not self.is_next(severity):
                continue
            word = self.take()
            if self.accept("or"):
                self.expect("higher", f"Write “open findings {severity} or higher”.")
            elif severity is not Severity.CRITICAL:
                message = f"“{word.text}” alone leaves out what is worse."
                raise _Wrong(word.start, message, f"Write “open findings {severity} or higher”.")
            return FindingsMeasure(severity)
        if self.token.kind == _WORD and not self.is_next("in"):
            raise self.wrong([*map(str, Severity), *_OPERATORS], what="a severity or a comparison")
        return FindingsMeasure()

    # evaluations

    def evaluation(self) -> EvaluationMeasure:
        datasets = self.datasets()
        partitions = self.partitions() if self.accept(",") else None
        self.expect(":", "A colon stands between the datasets and the metric: all datasets: macro F1 >= 0.8")
        return self.metric(datasets, partitions)

    def datasets(self) -> Quantifier | Named:
        start = self.token
        if self.accept("all") or self.accept("every") or self.accept("each"):
            if start.text.lower() != "all":
                raise _Wrong(start.start, f"“{start.text}” is not known.", "Write “all datasets”.")
            self.either("datasets", "dataset", "Write “all datasets”.")
            return Quantifier.ALL
        if self.accept("any"):
            self.either("dataset", "datasets", "Write “any dataset”.")
            return Quantifier.ANY
        if self.accept("dataset"):
            return Named(self.name("a dataset"))
        if start.kind == _STRING:
            raise _Wrong(start.start, "What is this the name of?", f"Write “dataset {quoted(start.text)}: …”.")
        words = [*(word.lower() for word in (*Average, *Metric)), "label"]
        if difflib.get_close_matches(start.text.lower(), words, 1, 0.8):
            rest = "Write “all datasets: ” or “any dataset: ” before it."
            raise _Wrong(start.start, "The condition does not say on which datasets.", rest)
        if start.text.lower() in {"latency", "rps", "actual", "utilization", "p50", "p90", "p95", "p99"}:
            raise _Wrong(start.start, "The condition does not say what is measured.", "Write “load test: ” before it.")
        raise self.wrong(_STARTS, what="what is measured")

    def either(self, right: str, also: str, hint: str) -> None:
        if not (self.accept(right) or self.accept(also)):
            raise self.wrong((right,), hint)

    def partitions(self) -> Quantifier | Cut:
        if self.accept("all"):
            self.either("partitions", "partition", "Write “all partitions”.")
            return Quantifier.ALL
        if self.accept("any"):
            self.either("partition", "partitions", "Write “any partition”.")
            return Quantifier.ANY
        if not self.accept("partition"):
            raise self.wrong(("all partitions", "any partition", "partition"), what="which partitions")
        start = self.token
        lower = self.levels()
        self.expect("|", _CUT_HINT)
        upper = self.levels()
        if len({*lower, *upper}) != len(lower) + len(upper):
            raise _Wrong(start.start, "A level stands in the partition twice.", _CUT_HINT)
        return Cut(lower, upper)

    def levels(self) -> tuple[str, ...]:
        found = [self.name("a level")]
        while self.accept(","):
            found.append(self.name("a level"))
        return tuple(found)

    def metric(self, datasets: Quantifier | Named, partitions: Quantifier | Cut | None) -> EvaluationMeasure:
        start = self.token
        if self.accept("accuracy"):
            return EvaluationMeasure(datasets, Metric.ACCURACY, partitions=partitions)
        for average in Average:
            if self.accept(average):
                if self.is_next("accuracy"):
                    raise _Wrong(start.start, "Accuracy has no average.", "Write “accuracy”.")
                metric = self.choice(_AVERAGED, f"the metric of the {average} average")
                return EvaluationMeasure(datasets, metric, average=average, partitions=partitions)
        for word, metric in _AVERAGED.items():
            if self.accept(word):
                if self.accept("of"):
                    self.expect("label", f'Write “{word} of label "1"”.')
                    label = self.name("a label")
                    _check_side(label, partitions, self.tokens[self.place - 1])
                    return EvaluationMeasure(datasets, metric, label=label, partitions=partitions)
                average = self.token.text.lower() if self.token.kind == _WORD else ""  # type: ignore[assignment]
                said = average if average in tuple(Average) else Average.MACRO
                hint = f"Write “{said} {word}”, or “{word} of label …”."
                raise _Wrong(start.start, f"{word} of what? It needs an average or a label.", hint)
        if self.is_next("label"):
            raise _Wrong(start.start, "The metric comes before the label.", 'Write “recall of label "1"”.')
        raise self.wrong((*Average, *Metric), what="a metric")

    # load tests

    def load_test(self) -> LoadMeasure:
        option = LoadOption.ANY
        if not self.is_next(":"):
            hint = "" if self.token.kind == _WORD else "A colon stands behind “load test”."
            found = [one for one in LoadOption if self.is_next(one)]
            if not found:
                raise self.wrong((*LoadOption, ":"), hint, what="which load test")
            self.take()
            option = found[0]
        self.expect(":", f"A colon stands between the load test and what it measured: load test {option}: actual RPS")
        start = self.token
        quantity = self.quantity()
        at = None
        if self.accept("at"):
            number = self.number("a number of requests a second")
            if quantity is Quantity.RPS:
                raise _Wrong(start.start, "The actual RPS at a given RPS is that RPS.", "Delete “at …”.")
            self.expect("RPS", "Write “at 50 RPS”: the step is found by its actual requests a second.")
            at = number
        return LoadMeasure(option, quantity, at)

    def quantity(self) -> Quantity:
        start = self.token
        if self.accept("actual"):
            self.expect("RPS", "Write “actual RPS”.")
            return Quantity.RPS
        if self.accept("RPS"):
            raise _Wrong(start.start, "RPS can be the target or the actual rate.", "Write “actual RPS”.")
        if self.accept("latency"):
            return self.choice(_LATENCIES, "which latency")
        if start.text.upper() in _LATENCIES:
            raise _Wrong(start.start, f"“{start.text}” of what?", f"Write “latency {start.text.upper()}”.")
        if self.accept("utilization") or self.accept("utilisation"):
            quantity = self.choice(_PARTS, "what is used")
            return Quantity.GPU_MEMORY if quantity is Quantity.GPU and self.accept("memory") else quantity
        if start.text.lower() in {word.lower() for word in _PARTS}:
            raise _Wrong(start.start, f"“{start.text}” of what?", f"Write “utilization {start.text}”.")
        raise self.wrong(("actual RPS", "latency", "utilization"), what="what the load test measured")

    # comparisons

    def name(self, what: str) -> str:
        token = self.take()
        if token.kind == _STRING and token.text.strip():
            return token.text
        if token.kind in (_WORD, _NUMBER):
            return token.text
        if token.kind == _STRING:
            raise _Wrong(token.start, f"The name of {what} is empty.")
        raise _Wrong(token.start, f"Expected the name of {what} in quotes; found {token.shown}.")

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
            raise _Wrong(token.start, "A measured value is rarely equal to a number.", hint)
        if token.text in ("!=", "≠"):
            raise _Wrong(token.start, "“Not equal” is no condition.", "Use >, >=, <, <= or in.")
        if token.kind == _NUMBER:
            raise _Wrong(token.start, "A comparison is missing before the number.", f"Write “>= {token.text}”.")
        raise self.wrong(_OPERATORS, what="a comparison")

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
            raise _Wrong(start.start, "The range ends before it begins.", f"Write [{low}, {high}].")
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
            raise _Wrong(start.start, "Times what?", "Write “times the previous release”.")
        self.expect("release", "Write “times the previous release”.")
        return True

    def range(self) -> tuple[_Quantified, _Quantified]:
        hint = "A range is written as [0.8, 0.9]; both ends belong to it."
        self.expect("[", hint)
        low = self.quantified()
        self.expect(",", hint)
        high = self.quantified()
        if self.is_next(","):
            raise _Wrong(self.token.start, "A range has two numbers.", "Numbers have a point, not a comma: [0.8, 0.9].")
        self.expect("]", hint)
        return low, high

    def number(self, what: str) -> Decimal:
        token = self.token
        if token.kind != _NUMBER:
            raise _Wrong(token.start, f"Expected {what}; found {token.shown}.")
        self.take()
        after, further = self.token, self.tokens[min(self.place + 1, len(self.tokens) - 1)]
        inside = any(one.text == "[" for one in self.tokens[: self.place])
        if after.text == "," and further.kind == _NUMBER and after.start == token.end and not inside:
            text = f"{token.text}.{further.text}"
            raise _Wrong(after.start, "Numbers have a point, not a comma.", f"Write {text}.")
        return Decimal(token.text)

    def quantified(self) -> _Quantified:
        start = self.token
        number = self.number("a number")
        unit = self.token
        if unit.text == "%" or unit.text.lower() in ("ms", "s", "rps"):
            self.take()
            return _Quantified(number, unit.text.lower(), start)
        if unit.kind == _WORD and unit.text.lower() not in ("times", "of", "or", "and"):
            near = difflib.get_close_matches(unit.text.lower(), ["percent", "milliseconds", "seconds", "times"], 1, 0.6)
            known = {"percent": "%", "milliseconds": "ms", "seconds": "s", "times": "times the previous release"}
            hint = f"Write {plain(number)} {known[near[0]]}." if near else ""
            raise _Wrong(unit.start, f"“{unit.text}” is no unit. Known are %, ms, s and RPS.", hint)
        return _Quantified(number, "", start)


_AVERAGED = {str(metric): metric for metric in Metric if metric is not Metric.ACCURACY}


@dataclass(frozen=True)
class _Quantified:
    number: Decimal
    unit: str
    token: _Token


def _value(given: _Quantified, unit: Unit) -> Decimal:
    """A threshold in the unit of what is compared."""
    number, said, start = given.number, given.unit, given.token.start
    if said not in _SAID[unit]:
        raise _Wrong(start, f"The value is {unit.value}; “{said}” does not fit.")
    if not said and unit in (Unit.PERCENT, Unit.MILLISECONDS):
        what = "A utilization is in per cent." if unit is Unit.PERCENT else "A latency has a unit."
        raise _Wrong(start, what, f"Write {unit.text(number)}.")
    value = number
    if said == "%" and unit is not Unit.PERCENT:
        value = number / 100
    elif said == "s":
        value = number * 1000
    if unit is Unit.COUNT and value != int(value):
        raise _Wrong(start, "The number of findings is a whole number.")
    most = _BOUNDS.get(unit, (None, None))[1]
    if most is not None and value > most:
        hint = f"Write {plain(number)} %." if not said and number <= 100 else ""  # noqa: PLR2004
        raise _Wrong(
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


def _check_use(comparison: Comparison, unit: Unit, token: _Token) -> None:
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
        raise _Wrong(token.start, message, f"The value is always {reach}.")


def _check_side(label: str, partitions: Quantifier | Cut | None, token: _Token) -> None:
    if partitions is not None and label not in ("0", "1"):
        hint = 'With a partition, label "1" is the upper side and label "0" the lower one.'
        raise _Wrong(token.start, f"A partition has no label {quoted(label)}.", hint)
