"""From the text of conditions to conditions, one on each line. docs/gates.md has the grammar.

Every fault says where it is and, where it can be guessed, what to write instead. All faulty lines are told at once, of
each line the first fault.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mop.releases.gates.comparison_reader import OPERATORS, ComparisonReader
from mop.releases.gates.conditions import (
    Average,
    Condition,
    Cut,
    EvaluationMeasure,
    FindingsMeasure,
    LoadMeasure,
    LoadOption,
    Measure,
    Metric,
    Named,
    Quantifier,
    Quantity,
    Rate,
    quoted,
)
from mop.releases.gates.line_reader import END, NUMBER, STRING, WORD, Token, WrongLine, tokens_of
from mop.releases.gates.other_words import BEGINNINGS, LOADS, behind
from mop.scanning.findings import Severity

MOST_CONDITIONS = 100
LONGEST_LINE = 1_000


@dataclass(frozen=True)
class Fault:
    """What is wrong in a line.

    Attributes:
        line: from 1.
        column: of the first character that is wrong, from 1.
        hint: what to write instead; empty where that cannot be known.
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
        except WrongLine as wrong:
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
        raise WrongLine(LONGEST_LINE, f"The line has more than {LONGEST_LINE:,} characters.")
    tokens = tokens_of(line)
    return None if tokens[0].kind == END else _Line(tokens).condition()


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
_AVERAGED = {str(metric): metric for metric in Metric if metric is not Metric.ACCURACY}


class _Line(ComparisonReader):
    """Reads one condition."""

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
            raise WrongLine(
                begin.start, "The number of findings has no ratio to the previous release.", "Give a number."
            )
        or_none = False
        if self.accept("or"):
            self.expect("none", "Only “or none” may follow; a second condition stands on a line of its own.")
            or_none = True
        self.end()
        return Condition(measure, comparison, to_previous, or_none, taxonomy)

    def end(self) -> None:
        if self.token.kind == END:
            return
        if self.is_next(",", "or", "none"):
            hint = "“or none” stands without a comma."
        elif self.token.text.lower() in ("and", "&&", ","):
            hint = "Each condition stands on a line of its own; all of them must hold."
        elif self.token.kind == NUMBER:
            hint = "Numbers have a point and no spaces: 0.8."
        else:
            hint = behind(self.token.text)
        raise WrongLine(self.token.start, f"The condition ends before {self.token.shown}.", hint)

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
                others = [one for one in Severity if self.is_next(one)]
                lowest = min([severity, *others], key=lambda one: one.rank)
                self.expect("higher", f"Write “open findings {lowest} or higher”.")
            elif severity is not Severity.CRITICAL:
                message = f"“{word.text}” alone leaves out what is worse."
                raise WrongLine(word.start, message, f"Write “open findings {severity} or higher”.")
            return FindingsMeasure(severity)
        if self.token.kind == WORD and not self.is_next("in"):
            raise self.wrong([*map(str, Severity), *OPERATORS], what="a severity or a comparison")
        return FindingsMeasure()

    # evaluations

    def evaluation(self) -> EvaluationMeasure:
        datasets = self.datasets()
        comma = self.token
        partitions: Quantifier | Cut | None = None
        if self.accept(","):
            if any(self.is_next(word) for word in (*Average, *Metric)):
                message = "A colon stands between the datasets and the metric, not a comma."
                raise WrongLine(comma.start, message, "Write “all datasets: macro F1 >= 0.8”.")
            partitions = self.partitions()
        self.expect(":", "A colon stands between the datasets and the metric: all datasets: macro F1 >= 0.8")
        return self.metric(datasets, partitions)

    def datasets(self) -> Quantifier | Named:
        start = self.token
        if self.accept("all") or self.accept("every") or self.accept("each"):
            if start.text.lower() != "all":
                raise WrongLine(start.start, f"“{start.text}” is not known.", "Write “all datasets”.")
            self.either("datasets", "dataset", "Write “all datasets”.")
            return Quantifier.ALL
        if self.accept("any"):
            self.either("dataset", "datasets", "Write “any dataset”.")
            return Quantifier.ANY
        if self.accept("dataset"):
            return Named(self.name("a dataset"))
        if start.kind == STRING:
            raise WrongLine(start.start, "What is this the name of?", f"Write “dataset {quoted(start.text)}: …”.")
        words = [*(word.lower() for word in (*Average, *Metric)), "label"]
        if difflib.get_close_matches(start.text.lower(), words, 1, 0.8):
            rest = "Write “all datasets: ” or “any dataset: ” before it."
            raise WrongLine(start.start, "The condition does not say on which datasets.", rest)
        if start.text.lower() in {"latency", "rps", "actual", "utilization", "p50", "p90", "p95", "p99"}:
            raise WrongLine(
                start.start, "The condition does not say what is measured.", "Write “load test: ” before it."
            )
        if start.kind == WORD and self.tokens[self.place + 1].text == ":":
            name = quoted(start.text)
            hint = f"A dataset is written “dataset {name}: …”, a taxonomy “taxonomy {name}, …”."
            raise WrongLine(start.start, f"It is not said what {start.shown} is the name of.", hint)
        if start.kind == WORD and (metric := _split_by_hyphen(start.text)):
            hint = f"Write “all datasets: {metric}”."
            raise WrongLine(start.start, "The condition does not say on which datasets.", hint)
        raise self.wrong(_STARTS, BEGINNINGS.get(start.text.lower(), ""), what="what is measured")

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
            raise WrongLine(start.start, "A level stands in the partition twice.", _CUT_HINT)
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
                    raise WrongLine(start.start, "Accuracy has no average.", "Write “accuracy”.")
                metric = self.choice(_AVERAGED, f"the metric of the {average} average")
                return EvaluationMeasure(datasets, metric, average=average, partitions=partitions)
        for word, metric in _AVERAGED.items():
            if self.accept(word):
                if self.accept("of"):
                    self.expect("label", f'Write “{word} of label "1"”.')
                    label = self.name("a label")
                    _check_side(label, partitions, self.tokens[self.place - 1])
                    return EvaluationMeasure(datasets, metric, label=label, partitions=partitions)
                average = self.token.text.lower() if self.token.kind == WORD else ""  # type: ignore[assignment]
                said = average if average in tuple(Average) else Average.MACRO
                hint = f"Write “{said} {word}”, or “{word} of label …”."
                raise WrongLine(start.start, f"{word} of what? It needs an average or a label.", hint)
        if self.is_next("label"):
            raise WrongLine(start.start, "The metric comes before the label.", 'Write “recall of label "1"”.')
        raise self.wrong((*Average, *Metric), what="a metric")

    # load tests

    def load_test(self) -> LoadMeasure:
        option = LoadOption.ANY
        if not self.is_next(":"):
            measured = any(self.is_next(word) for word in ("actual", "RPS", "latency", "utilization"))
            hint = "A colon stands behind “load test”." if measured or self.token.kind != WORD else ""
            if self.is_next("at"):
                hint = "“at 50 RPS” stands behind what is measured: load test: latency P99 at 50 RPS <= 200 ms."
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
                raise WrongLine(start.start, "The actual RPS at a given RPS is that RPS.", "Delete “at …”.")
            self.expect("RPS", "Write “at 50 RPS”: the step is found by its actual requests a second.")
            at = number
        return LoadMeasure(option, quantity, at)

    def quantity(self) -> Quantity:
        start = self.token
        if self.accept("actual"):
            self.expect("RPS", "Write “actual RPS”.")
            return Quantity.RPS
        if self.accept("RPS"):
            raise WrongLine(start.start, "RPS can be the target or the actual rate.", "Write “actual RPS”.")
        if self.accept("latency"):
            return self.choice(_LATENCIES, "which latency")
        if start.text.upper() in _LATENCIES:
            raise WrongLine(start.start, f"“{start.text}” of what?", f"Write “latency {start.text.upper()}”.")
        if self.accept("utilization") or self.accept("utilisation"):
            quantity = self.choice(_PARTS, "what is used")
            return Quantity.GPU_MEMORY if quantity is Quantity.GPU and self.accept("memory") else quantity
        if start.text.lower() in {word.lower() for word in _PARTS}:
            raise WrongLine(start.start, f"“{start.text}” of what?", f"Write “utilization {start.text}”.")
        hint = LOADS.get(start.text.lower(), "")
        raise self.wrong(("actual RPS", "latency", "utilization"), hint, what="what the load test measured")


def _split_by_hyphen(text: str) -> str:
    """`macro F1` of `macro-f1`; empty of what is no average and metric."""
    average, _, metric = text.lower().partition("-")
    known = {name.lower(): name for name in _AVERAGED}
    return f"{average} {known[metric]}" if average in tuple(Average) and metric in known else ""


def _check_side(label: str, partitions: Quantifier | Cut | None, token: Token) -> None:
    if partitions is not None and label not in ("0", "1"):
        hint = 'With a partition, label "1" is the upper side and label "0" the lower one.'
        raise WrongLine(token.start, f"A partition has no label {quoted(label)}.", hint)
