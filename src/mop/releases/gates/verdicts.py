"""Whether conditions hold, on the evidence of one version for one task.

What was not measured is never a pass. A condition over several things (datasets, partitions, load tests) has one part
for each. "All" holds when every part holds; it fails when one fails, and is not measured when none fails and one is
missing. "Any" holds when one part holds; it is not measured when none holds and one is missing, and fails when all
fail. Over nothing, neither holds.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mop.releases.gates.conditions import (
    Comparison,
    Condition,
    Cut,
    EvaluationMeasure,
    FindingsMeasure,
    LoadMeasure,
    LoadOption,
    Named,
    Quantifier,
    Rate,
)


class Step(enum.StrEnum):
    """What measures a missing value; the page offers it."""

    EVALUATION = "evaluation"
    LOAD_TEST = "load test"
    REGRESSION = "regression test"
    GOLDEN_SET = "golden set"
    SCAN = "scan"


@dataclass(frozen=True)
class Measured:
    """A value that was measured.

    Attributes:
        value: in the unit of the measure; shares and rates from 0 to 1.
        low: end of the 95 % interval, and `high` the other; None where the measure has none.
        of: on how much it stands, for people: "139 cases", "at 40 clients".
    """

    value: float
    low: float | None = None
    high: float | None = None
    of: str = ""


@dataclass(frozen=True)
class Missing:
    """A value that is not there.

    Attributes:
        reason: for people, as a sentence.
        step: what would measure it; None: nothing can.
        is_nothing: there is nothing to measure on (no dataset, no case, no previous release), so that "or none" holds.
            False: there is, and it was not measured, or it failed.
    """

    reason: str
    step: Step | None = None
    is_nothing: bool = False


Reading = Measured | Missing


@dataclass(frozen=True)
class Place:
    """Where a metric of an evaluation is read."""

    dataset: str
    cut: Cut | None = None

    def __str__(self) -> str:
        if self.cut is None:
            return self.dataset
        return f"{self.dataset}, {','.join(self.cut.lower)} | {','.join(self.cut.upper)}"


class Evidence(Protocol):
    """What is known of one version for one task, and of the release that is live before it."""

    def datasets(self) -> Sequence[str]:
        """The names of the task's approved datasets."""

    def cuts(self) -> Sequence[Cut]:
        """Every partition of the task's labels, the lowest first; empty where the labels have no order."""

    def metric(self, place: Place, measure: EvaluationMeasure, *, to_previous: bool) -> Reading:
        """A metric on one dataset and partition, or its ratio to the previous release's on the same rows."""

    def load(self, option: LoadOption, measure: LoadMeasure, *, to_previous: bool) -> Reading | None:
        """A quantity of the load test with that option; None where that option was never run."""

    def rate(self, rate: Rate, *, to_previous: bool) -> Reading:
        """A pass rate."""

    def findings(self, measure: FindingsMeasure) -> Reading:
        """The number of open findings."""


class Result(enum.StrEnum):
    """How a condition came out."""

    PASS = "pass"  # noqa: S105 # no password
    CLOSE = "pass, close"
    FAIL = "fail"
    NOT_MEASURED = "not measured"

    @property
    def holds(self) -> bool:
        """Whether the condition is met."""
        return self in (Result.PASS, Result.CLOSE)


@dataclass(frozen=True)
class Part:
    """One value of a condition, and how it came out."""

    where: str
    reading: Reading
    result: Result


@dataclass(frozen=True)
class Verdict:
    """A condition, its parts and how it came out.

    Attributes:
        parts: one for each dataset, partition or load test that it covers; empty where it covers nothing.
        why: for a result that no part explains, a sentence; else empty.
    """

    condition: Condition
    parts: tuple[Part, ...]
    result: Result
    why: str = ""


def judge(condition: Condition, evidence: Evidence) -> Verdict:
    """How one condition comes out."""
    measure = condition.measure
    match measure:
        case EvaluationMeasure():
            verdict = _judge_evaluations(condition, measure, evidence)
        case LoadMeasure():
            verdict = _judge_load(condition, measure, evidence)
        case Rate():
            verdict = _single(condition, str(measure), evidence.rate(measure, to_previous=condition.to_previous))
        case FindingsMeasure():
            verdict = _single(condition, "newest scan", evidence.findings(measure))
    return verdict


def compare(comparison: Comparison, reading: Reading) -> Result:
    """How one value comes out: a pass is close when its interval holds the threshold, or an end of the range."""
    if isinstance(reading, Missing):
        return Result.NOT_MEASURED
    if not comparison.holds(reading.value):
        return Result.FAIL
    if reading.low is None or reading.high is None:
        return Result.PASS
    low, high = reading.low, reading.high
    return Result.CLOSE if any(low <= end <= high for end in comparison.ends) else Result.PASS


def conclude_all(results: Iterable[Result]) -> Result:
    """Of parts that must all hold: the worst."""
    found = set(results)
    order = (Result.FAIL, Result.NOT_MEASURED, Result.CLOSE, Result.PASS)
    return next((result for result in order if result in found), Result.NOT_MEASURED)


def conclude_any(results: Iterable[Result]) -> Result:
    """Of parts of which one must hold: the best, where a missing one might still be better than one that fails."""
    found = set(results)
    order = (Result.PASS, Result.CLOSE, Result.NOT_MEASURED, Result.FAIL)
    return next((result for result in order if result in found), Result.NOT_MEASURED)


def _single(condition: Condition, where: str, reading: Reading) -> Verdict:
    part = _part(condition, where, reading)
    return Verdict(condition, (part,), part.result)


def _part(condition: Condition, where: str, reading: Reading) -> Part:
    if condition.or_none and isinstance(reading, Missing) and reading.is_nothing:
        return Part(where, reading, Result.PASS)
    return Part(where, reading, compare(condition.comparison, reading))


def _judge_evaluations(condition: Condition, measure: EvaluationMeasure, evidence: Evidence) -> Verdict:
    approved = evidence.datasets()
    if isinstance(measure.datasets, Named):
        if measure.datasets.name not in approved:
            # "or none" does not excuse it: a dataset that is named is meant
            why = f"{measure.datasets.name} is not an approved dataset of the task."
            return Verdict(condition, (), Result.NOT_MEASURED, why)
        approved = [measure.datasets.name]
    if not approved:
        result = Result.PASS if condition.or_none else Result.NOT_MEASURED
        return Verdict(condition, (), result, "The task has no approved dataset.")
    cuts: Sequence[Cut | None] = [None]
    if measure.partitions is not None:
        cuts, why = _cuts(measure.partitions, evidence.cuts())
        if not cuts:
            return Verdict(condition, (), Result.NOT_MEASURED, why)
    parts = []
    results = []
    of_cuts = conclude_any if measure.partitions is Quantifier.ANY else conclude_all
    for dataset in approved:
        found = []
        for cut in cuts:
            place = Place(dataset, cut)
            reading = evidence.metric(place, measure, to_previous=condition.to_previous)
            found.append(_part(condition, str(place), reading))
        parts += found
        results.append(of_cuts(part.result for part in found))
    of_datasets = conclude_any if measure.datasets is Quantifier.ANY else conclude_all
    return Verdict(condition, tuple(parts), of_datasets(results))


def _cuts(wanted: Quantifier | Cut, every: Sequence[Cut]) -> tuple[Sequence[Cut], str]:
    """The partitions that are meant, or why there is none; "or none" does not excuse that: the gate is wrong."""
    if not every:
        return (), "The labels of the task have no order, so there are no partitions."
    if isinstance(wanted, Quantifier):
        return every, ""
    return ([wanted], "") if wanted in every else ((), f"The labels of the task have no partition {wanted}.")


def _judge_load(condition: Condition, measure: LoadMeasure, evidence: Evidence) -> Verdict:
    """Of any load test: of those that were run one must hold; the other option need not be run for that."""
    options = [measure.option]
    if measure.option is LoadOption.ANY:
        options = [option for option in LoadOption if option is not LoadOption.ANY]
    parts = []
    for option in options:
        reading = evidence.load(option, measure, to_previous=condition.to_previous)
        if reading is not None:
            parts.append(_part(condition, str(option), reading))
    if not parts:
        which = "" if measure.option is LoadOption.ANY else f"{measure.option} "
        missing = Missing(f"No {which}load test was run.", Step.LOAD_TEST)
        parts.append(_part(condition, str(measure.option), missing))
    return Verdict(condition, tuple(parts), conclude_any(part.result for part in parts))


def verdict_of_all(verdicts: Iterable[Verdict]) -> Result:
    """Of a gate: all its conditions must hold. A gate without conditions passes."""
    results = [verdict.result for verdict in verdicts]
    return conclude_all(results) if results else Result.PASS
