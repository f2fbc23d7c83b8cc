"""The conditions of a gate as values, and their text. `str` of a condition is its canonical text, which parses back."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal

from mop.scanning.findings import Severity


class Quantifier(enum.StrEnum):
    """Of how many a condition must hold."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True)
class Named:
    """One dataset, by its name."""

    name: str

    def __str__(self) -> str:
        return f"dataset {quoted(self.name)}"


@dataclass(frozen=True)
class Cut:
    """One partition of ordinal labels: the levels below the cut and those above it, ascending."""

    lower: tuple[str, ...]
    upper: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raises: ValueError: a side is empty, or a level stands twice."""
        levels = self.lower + self.upper
        if not (self.lower and self.upper) or len(set(levels)) != len(levels):
            raise ValueError("a partition has two sides, and no level stands twice")

    def __str__(self) -> str:
        return " | ".join(", ".join(map(quoted, side)) for side in (self.lower, self.upper))


class Average(enum.StrEnum):
    """How the metrics of labels become one number."""

    MACRO = "macro"
    MICRO = "micro"
    WEIGHTED = "weighted"


class Metric(enum.StrEnum):
    """A metric of an evaluation."""

    F1 = "F1"
    PRECISION = "precision"
    RECALL = "recall"
    ACCURACY = "accuracy"


def _of(quantifier: Quantifier, noun: str) -> str:
    return f"any {noun}" if quantifier is Quantifier.ANY else f"all {noun}s"


@dataclass(frozen=True)
class EvaluationMeasure:
    """A metric of evaluations.

    Attributes:
        datasets: which of the task's approved datasets.
        partitions: of ordinal labels; None: the whole matrix, or for a binary dataset the representing partition.
        metric: accuracy has neither an average nor a label; every other metric has one of the two.
        label: of the dataset; with a partition `0` (lower side) or `1` (upper side).
    """

    datasets: Quantifier | Named
    metric: Metric
    average: Average | None = None
    label: str | None = None
    partitions: Quantifier | Cut | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError: accuracy with an average or label, or another metric without one or with both."""
        given = (self.average is not None) + (self.label is not None)
        if given != (0 if self.metric is Metric.ACCURACY else 1):
            raise ValueError("accuracy has neither an average nor a label, every other metric has one of the two")

    def __str__(self) -> str:
        where = _of(self.datasets, "dataset") if isinstance(self.datasets, Quantifier) else str(self.datasets)
        if isinstance(self.partitions, Quantifier):
            where += f", {_of(self.partitions, 'partition')}"
        elif self.partitions is not None:
            where += f", partition {self.partitions}"
        return f"{where}: {self.what}"

    @property
    def what(self) -> str:
        """The metric alone, as `macro F1` or `recall of label "1"`."""
        if self.label is not None:
            return f"{self.metric} of label {quoted(self.label)}"
        return f"{self.average} {self.metric}" if self.average else str(self.metric)


class LoadOption(enum.StrEnum):
    """Which load test."""

    ANY = "any"
    PER_CONCURRENCY = "PerConcurrency"
    PER_RPS = "PerRPS"


class Quantity(enum.StrEnum):
    """What a step of a load test measured."""

    RPS = "actual RPS"
    LATENCY_AVERAGE = "latency average"
    LATENCY_P50 = "latency P50"
    LATENCY_P90 = "latency P90"
    LATENCY_P95 = "latency P95"
    LATENCY_P99 = "latency P99"
    CPU = "utilization CPU"
    MEMORY = "utilization memory"
    DISK = "utilization disk"
    GPU = "utilization GPU"
    GPU_MEMORY = "utilization GPU memory"

    @property
    def unit(self) -> Unit:
        """Of its values."""
        if self is Quantity.RPS:
            return Unit.RPS
        return Unit.MILLISECONDS if self.name.startswith("LATENCY") else Unit.PERCENT


@dataclass(frozen=True)
class LoadMeasure:
    """A quantity of a load test.

    Attributes:
        at_rps: the step is the first whose actual RPS reaches this; None: the highest step without a failed request.
    """

    option: LoadOption
    quantity: Quantity
    at_rps: Decimal | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError: the actual RPS at a given actual RPS."""
        if self.quantity is Quantity.RPS and self.at_rps is not None:
            raise ValueError("the actual RPS at a given RPS is that RPS")

    def __str__(self) -> str:
        which = "load test" if self.option is LoadOption.ANY else f"load test {self.option}"
        at = "" if self.at_rps is None else f" at {plain(self.at_rps)} RPS"
        return f"{which}: {self.what}{at}"

    @property
    def what(self) -> str:
        """The quantity alone."""
        return str(self.quantity)


class Rate(enum.StrEnum):
    """A share of rows that came out as they should."""

    DSAT = "DSAT pass rate"
    GOLDEN_SET = "golden set pass rate"


@dataclass(frozen=True)
class FindingsMeasure:
    """The number of open findings; `least` is the lowest severity that counts, None counts all."""

    least: Severity | None = None

    def __str__(self) -> str:
        if self.least is None:
            return "open findings"
        return f"open findings {self.least}" + ("" if self.least is Severity.CRITICAL else " or higher")


Measure = EvaluationMeasure | LoadMeasure | Rate | FindingsMeasure


class Unit(enum.Enum):
    """What the numbers of a measure are."""

    SHARE = "a number from 0 to 1"
    RATE = "per cent"
    PERCENT = "per cent of what was given"
    MILLISECONDS = "ms"
    RPS = "RPS"
    COUNT = "a whole number"
    RATIO = "a ratio"

    def text(self, value: Decimal) -> str:
        """A threshold as it stands in a condition."""
        if self is Unit.RATE:
            return f"{plain(value * 100)} %"
        suffix = {Unit.PERCENT: " %", Unit.MILLISECONDS: " ms", Unit.RPS: " RPS"}.get(self, "")
        return plain(value) + suffix


def unit_of(measure: Measure) -> Unit:
    """Of the values of a measure."""
    match measure:
        case EvaluationMeasure():
            return Unit.SHARE
        case LoadMeasure():
            return measure.quantity.unit
        case Rate():
            return Unit.RATE
        case FindingsMeasure():
            return Unit.COUNT


class Operator(enum.StrEnum):
    """How a value is compared with a threshold, or with a range whose ends belong to it."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    IN = "in"


@dataclass(frozen=True)
class Comparison:
    """What a value must be.

    Attributes:
        threshold: in the unit of the measure; shares and rates from 0 to 1.
        upper: the end of a range; None without one.
    """

    operator: Operator
    threshold: Decimal
    upper: Decimal | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError: a range without end, an end without range, or a range that ends before it begins."""
        if (self.operator is Operator.IN) != (self.upper is not None):
            raise ValueError("a range, and nothing else, has two ends")
        if self.upper is not None and self.upper < self.threshold:
            raise ValueError("the range ends before it begins")

    def text(self, unit: Unit) -> str:
        """As it stands in a condition."""
        if self.upper is None:
            return f"{self.operator} {unit.text(self.threshold)}"
        return f"in [{unit.text(self.threshold)}, {unit.text(self.upper)}]"

    def holds(self, value: float) -> bool:
        """Whether a value is what it must be. Both are compared as doubles: 19/20 is at least 0.95."""
        low = float(self.threshold)
        match self.operator:
            case Operator.ABOVE:
                return value > low
            case Operator.AT_LEAST:
                return value >= low
            case Operator.BELOW:
                return value < low
            case Operator.AT_MOST:
                return value <= low
            case Operator.IN:
                return low <= value <= float(self.upper if self.upper is not None else low)

    @property
    def ends(self) -> tuple[float, ...]:
        """The threshold, or the two ends of the range."""
        return (float(self.threshold),) if self.upper is None else (float(self.threshold), float(self.upper))


@dataclass(frozen=True)
class Condition:
    """One condition of a gate.

    Attributes:
        to_previous: the value is divided by that of the previous release.
        or_none: also holds where there is nothing to measure: no dataset, no case, no previous release.
        taxonomy: only for tasks of this taxonomy; None: for every task of the release.
    """

    measure: Measure
    comparison: Comparison
    to_previous: bool = False
    or_none: bool = False
    taxonomy: str | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError: a ratio of findings."""
        if self.to_previous and isinstance(self.measure, FindingsMeasure):
            raise ValueError("the number of findings has no ratio to the previous release")

    def __str__(self) -> str:
        prefix = "" if self.taxonomy is None else f"taxonomy {quoted(self.taxonomy)}, "
        unit = Unit.RATIO if self.to_previous else unit_of(self.measure)
        ratio = " times the previous release" if self.to_previous else ""
        return f"{prefix}{self.measure} {self.comparison.text(unit)}{ratio}{' or none' if self.or_none else ''}"


def quoted(text: str) -> str:
    """A name in quotes, a quote inside doubled."""
    return '"' + text.replace('"', '""') + '"'


def plain(value: Decimal) -> str:
    """A number without exponent and without zeros that say nothing."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text or "0"
