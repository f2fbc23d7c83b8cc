"""The evidence in a bundle, and the gates judged on it: the same code as on the installation, without its database.

evidence/gates.json             conditions, values and results; the tasks and their approved datasets
evidence/evaluations/0001.json  one for each dataset and task that was measured
evidence/load-tests/0001.json   the newest finished one of each option and modality
evidence/findings.json          the newest scan
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

from mop.evaluation.metrics.intervals import Interval
from mop.evaluation.results import EvaluationDocument
from mop.loadtest.results import StepResult
from mop.releases.gates.conditions import Cut, EvaluationMeasure, FindingsMeasure, LoadMeasure, LoadOption, Rate
from mop.releases.gates.parser import parse
from mop.releases.gates.readings import metric_of, quantity_of
from mop.releases.gates.report import GateDocument, GatePart, GateRow, gate_part
from mop.releases.gates.verdicts import Measured, Missing, Place, Reading, Result, Step, judge
from mop.scanning.findings import Severity

EVIDENCE = "evidence/"
GATES, FINDINGS = f"{EVIDENCE}gates.json", f"{EVIDENCE}findings.json"
EVALUATIONS, LOAD_TESTS = f"{EVIDENCE}evaluations/", f"{EVIDENCE}load-tests/"


@dataclass(frozen=True)
class EnclosedTask:
    """A task whose gates were asked.

    Attributes:
        labels: in their order; ascending where `is_ordinal`.
        datasets: the approved ones, by name.
    """

    name: str
    taxonomy: str
    modality: str
    is_ordinal: bool
    labels: tuple[str, ...]
    datasets: tuple[str, ...]


@dataclass(frozen=True)
class EnclosedEvaluation:
    """A version measured on a dataset for a task.

    Attributes:
        is_stale: environment, dataset or mapping changed since it was measured.
        digests: of artifact, environment, dataset (keyed) and mapping, and `metric_code`, its version.
        headline: macro F1, of an ordinal task F1 of the representing partition; None is undefined.
        interval: its 95 % interval.
        document: `mop.evaluation.results.EvaluationDocument`.
    """

    task: str
    dataset: str
    measured_at: str
    is_stale: bool
    rows: int
    digests: Mapping[str, str]
    headline: float | None
    interval: tuple[float, float] | None
    document: Mapping[str, Any]

    @cached_property
    def result(self) -> EvaluationDocument:
        """The counts as their type."""
        return EvaluationDocument.from_dict(self.document)

    def headline_again(self) -> tuple[float | None, Interval | None]:
        """The one number and its interval, computed from the confusion matrix."""
        return self.result.headline, self.result.headline_interval


@dataclass(frozen=True)
class EnclosedLoadTest:
    """The newest load test of an option and modality that finished.

    Attributes:
        state: of the newest one, which may be a later one that did not finish.
        conditions: under which it was measured.
        steps: `mop.loadtest.results.StepResult` each; empty where none finished.
    """

    modality: str
    option: str
    state: str
    ended: str
    ended_at: str
    conditions: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class EnclosedFindings:
    """The newest scan.

    Attributes:
        open: number of findings that no waiver covers, by severity.
        incomplete: names of scanners that did not run to their end.
        report: the findings themselves, as `mop model findings --json` shows them.
    """

    scanned_at: str
    is_complete: bool
    incomplete: Sequence[str]
    open: Mapping[str, int]
    report: Mapping[str, Any]


@dataclass(frozen=True)
class EnclosedGates:
    """The gates of a version as they came out, and what tells how to judge them again."""

    service: str | None
    document: GateDocument
    tasks: tuple[EnclosedTask, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"service": self.service, **self.document.to_dict(), "tasks": [asdict(task) for task in self.tasks]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` described."""
        tasks = tuple(
            EnclosedTask(**{**task, "labels": tuple(task["labels"]), "datasets": tuple(task["datasets"])})
            for task in data["tasks"]
        )
        return cls(data["service"], GateDocument.from_dict(data), tasks)


@dataclass(frozen=True)
class Enclosed:
    """Everything that gates read."""

    gates: EnclosedGates
    evaluations: tuple[EnclosedEvaluation, ...]
    load_tests: tuple[EnclosedLoadTest, ...]
    findings: EnclosedFindings | None

    def judge_again(self) -> tuple[JudgedRow, ...]:
        """Each condition of the enclosed report, judged on the enclosed evidence."""
        tasks = {task.name: task for task in self.gates.tasks}
        found = []
        for row in self.gates.document.rows:
            # a condition about findings is about the version as a whole
            task = tasks[row.task] if row.task else EnclosedTask("", "", "", is_ordinal=False, labels=(), datasets=())
            (condition,) = parse(row.condition)
            evidence = _Evidence(self, task, row)
            verdict = judge(condition, evidence)
            found.append(
                JudgedRow(row, verdict.result, tuple(map(gate_part, verdict.parts)), is_stated=evidence.stated)
            )
        return tuple(found)


@dataclass(frozen=True)
class JudgedRow:
    """A condition that was judged again.

    Attributes:
        row: as it is stated in the bundle.
        result: as it comes out on the enclosed evidence.
        parts: its values likewise.
        is_stated: whether a value was taken from the report, because what it stands on is not in the bundle: ratios to
            the previous release, and pass rates of cases that only some people may read.
    """

    row: GateRow
    result: Result
    parts: tuple[GatePart, ...]
    is_stated: bool

    @property
    def differs(self) -> bool:
        """Whether result or values are not those that are stated."""
        if self.result != self.row.result or len(self.parts) != len(self.row.parts):
            return True
        return any(_told(mine) != _told(stated) for mine, stated in zip(self.parts, self.row.parts, strict=True))


def _told(part: GatePart) -> tuple[object, ...]:
    numbers = (None if value is None else f"{value:.9g}" for value in (part.value, part.low, part.high))
    return part.where, part.result, *numbers


class _Evidence:
    """`mop.releases.gates.verdicts.Evidence` of what a bundle holds."""

    def __init__(self, enclosed: Enclosed, task: EnclosedTask, row: GateRow) -> None:
        self._enclosed = enclosed
        self._task = task
        self._row = row
        self.stated = False

    def datasets(self) -> Sequence[str]:
        return self._task.datasets

    def cuts(self) -> Sequence[Cut]:
        if not self._task.is_ordinal:
            return ()
        levels = self._task.labels
        return [Cut(levels[:place], levels[place:]) for place in range(1, len(levels))]

    def metric(self, place: Place, measure: EvaluationMeasure, *, to_previous: bool) -> Reading:
        if to_previous:
            return self._stated(str(place))
        for one in self._enclosed.evaluations:
            if (one.task, one.dataset) == (self._task.name, place.dataset):
                if one.is_stale:
                    return Missing("The result is stale.", Step.EVALUATION)
                return metric_of(one.result, place.cut, measure)
        return Missing("The bundle holds no result on this dataset.", Step.EVALUATION)

    def load(self, option: LoadOption, measure: LoadMeasure, *, to_previous: bool) -> Reading | None:
        wanted = (self._task.modality, option.value)
        found = [one for one in self._enclosed.load_tests if (one.modality, one.option) == wanted]
        if not found:
            return None
        if to_previous:
            return self._stated(str(option))
        if not found[0].steps:
            return Missing("No load test finished.", Step.LOAD_TEST)
        return quantity_of([StepResult.from_dict(dict(step)) for step in found[0].steps], measure)

    def rate(self, rate: Rate, *, to_previous: bool) -> Reading:  # noqa: ARG002 - a ratio is stated as the rate is
        return self._stated(str(rate))

    def findings(self, measure: FindingsMeasure) -> Reading:
        scan = self._enclosed.findings
        if scan is None:
            return Missing("The bundle holds no scan.", Step.SCAN)
        if not scan.is_complete or scan.incomplete:
            return Missing("The scan is not complete.", Step.SCAN)
        order = [*Severity]
        counted = order[0 if measure.least is None else order.index(measure.least) :]
        return Measured(float(sum(scan.open.get(one.value, 0) for one in counted)))

    def _stated(self, where: str) -> Reading:
        self.stated = True
        for part in self._row.parts:
            if part.where == where and part.value is not None:
                return Measured(part.value, part.low, part.high, part.of)
            if part.where == where:
                return Missing(part.reason, is_nothing=part.result == Result.PASS)
        return Missing("The report does not state it.")
