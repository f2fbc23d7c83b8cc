"""What MOP knows of a version for one task, as the gates ask for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from mop.catalog.models import LabelType, Task
from mop.datasets.selectors import usable_datasets
from mop.evaluation.metrics import ConfusionMatrix
from mop.evaluation.metrics.intervals import Interval, intervals, label_intervals
from mop.evaluation.metrics.matrix import BY_LABEL, OF_THE_WHOLE, known
from mop.evaluation.models import Evaluation
from mop.evaluation.results import EvaluationDocument, document_of
from mop.findings.models import ScanFinding
from mop.findings.selectors import current_scan
from mop.loadtest.models import LoadTest
from mop.loadtest.results import StepResult
from mop.loadtest.states import LoadTestState
from mop.registry.models import Revision
from mop.releases.gates.conditions import (
    Cut,
    EvaluationMeasure,
    FindingsMeasure,
    LoadMeasure,
    LoadOption,
    Metric,
    Quantity,
    Rate,
)
from mop.releases.gates.verdicts import Measured, Missing, Place, Reading, Step
from mop.scanning.findings import Severity

NO_PREVIOUS = Missing("There is no previous release.", is_nothing=True)


class RevisionEvidence:
    """The evidence of one version for one task. It asks the database once for each kind of thing."""

    def __init__(self, revision: Revision, task: Task) -> None:
        self.revision = revision
        self.task = task

    # evaluations

    def datasets(self) -> Sequence[str]:
        """The names of the task's approved datasets."""
        return self._approved

    def cuts(self) -> Sequence[Cut]:
        """Every partition of the task's labels, the lowest first; empty where the labels have no order."""
        if self.task.label_type != LabelType.ORDINAL:
            return ()
        levels = tuple(self.task.labels)
        return [Cut(levels[:place], levels[place:]) for place in range(1, len(levels))]

    def metric(self, place: Place, measure: EvaluationMeasure, *, to_previous: bool) -> Reading:
        """A metric on one dataset and partition. Without a release there is none before it."""
        if to_previous:
            return NO_PREVIOUS
        evaluation = self._evaluations.get(place.dataset)
        if evaluation is None:
            return Missing("The version was not evaluated on this dataset.", Step.EVALUATION)
        if not evaluation.is_measured:
            return Missing(f"The evaluation is {evaluation.get_state().label}.", Step.EVALUATION)
        if evaluation.is_stale:
            return Missing("The result is stale: environment, dataset or mapping changed since.", Step.EVALUATION)
        document = self._document(evaluation)
        if not document.is_measured_for_gates:
            share = document.matrix.no_answer / document.matrix.total
            return Missing(f"{share:.1%} of the rows have no answer; a gate allows 1 %.", Step.EVALUATION)
        return _metric_of(_matrix(document, place.cut), measure)

    @cached_property
    def _approved(self) -> list[str]:
        return list(usable_datasets(self.task).order_by("name").values_list("name", flat=True))

    @cached_property
    def _evaluations(self) -> Mapping[str, Evaluation]:
        rows = Evaluation.objects.filter(revision=self.revision, task=self.task, dataset__name__in=self._approved)
        return {row.dataset.name: row for row in rows.select_related("dataset", "result")}

    @cached_property
    def _documents(self) -> dict[str, EvaluationDocument]:
        return {}

    def _document(self, evaluation: Evaluation) -> EvaluationDocument:
        name = evaluation.dataset.name
        if name not in self._documents:
            self._documents[name] = document_of(evaluation)
        return self._documents[name]

    # load tests

    def load(self, option: LoadOption, measure: LoadMeasure, *, to_previous: bool) -> Reading | None:
        """A quantity of the newest finished load test of that option and the task's modality."""
        tests = [test for test in self._tests if test.option == option]
        if not tests:
            return None
        if to_previous:
            return NO_PREVIOUS
        finished = [test for test in tests if test.get_state() == LoadTestState.FINISHED]
        if not finished:
            return Missing(f"The load test is {tests[0].get_state().label}.", Step.LOAD_TEST)
        return _quantity_of([step.measured for step in finished[0].steps.all()], measure)

    @cached_property
    def _tests(self) -> list[LoadTest]:
        tests = LoadTest.objects.filter(revision=self.revision, modality=self.task.modality)
        return list(tests.order_by("-run").prefetch_related("steps"))

    # cases, golden sets, findings

    def rate(self, rate: Rate, *, to_previous: bool) -> Reading:
        """A pass rate. There is nothing to measure it on while this installation keeps no cases and no golden sets."""
        if to_previous:
            return NO_PREVIOUS
        what = "DSAT case" if rate is Rate.DSAT else "golden set"
        return Missing(f"The task has no {what}.", is_nothing=True)

    def findings(self, measure: FindingsMeasure) -> Reading:
        """The number of findings of the newest scan that no waiver covers."""
        scan = current_scan(self.revision)
        if scan is None:
            return Missing("The version was not scanned yet.", Step.SCAN)
        if not scan.is_complete or scan.incomplete:
            names = ", ".join(sorted(scan.incomplete)) or "the environment"
            return Missing(f"The newest scan is not complete: {names}.", Step.SCAN)
        order = [*Severity]
        counted = {one.value for one in order[0 if measure.least is None else order.index(measure.least) :]}
        found = sum(number for severity, number in scan.severities.items() if severity in counted)
        waived = ScanFinding.objects.filter(scan=scan, severity__in=counted, waiver__isnull=False).count()
        return Measured(float(found - waived), of=f"scan of {scan.finished_at:%Y-%m-%d}")


def _matrix(document: EvaluationDocument, cut: Cut | None) -> ConfusionMatrix:
    if cut is not None:
        return document.partitions[len(cut.lower) - 1].matrix
    # of an ordinal task on a binary dataset the matrix has no diagonal: a partition stands for it
    return document.decision if document.matrix.outside and document.levels else document.matrix


def _metric_of(matrix: ConfusionMatrix, measure: EvaluationMeasure) -> Reading:
    of = f"{matrix.total:,} rows"
    if measure.label is not None:
        if measure.label not in matrix.labels:
            return Missing(f"The dataset has no label “{measure.label}”.")
        place = matrix.labels.index(measure.label)
        name = measure.metric.lower()
        value = known(BY_LABEL[name](matrix.counts)[place])
        return _reading(value, label_intervals(matrix)[place][name], of)
    name = "accuracy" if measure.metric is Metric.ACCURACY else f"{measure.average}_{measure.metric.lower()}"
    metric = OF_THE_WHOLE[name]
    return _reading(known(metric(matrix.counts)), intervals(matrix, {name: metric})[name], of)


def _reading(value: float | None, interval: Interval | None, of: str) -> Reading:
    if value is None:
        return Missing("The value is undefined on this dataset.")
    if interval is None:
        return Measured(value, of=of)
    return Measured(value, interval.low, interval.high, of)


_LATENCY = {
    Quantity.LATENCY_AVERAGE: "average",
    Quantity.LATENCY_P50: "p50",
    Quantity.LATENCY_P90: "p90",
    Quantity.LATENCY_P95: "p95",
    Quantity.LATENCY_P99: "p99",
}
_UTILIZATION: Mapping[Quantity, Callable[[StepResult], float | None]] = {
    Quantity.CPU: lambda step: step.utilization.cpu if step.utilization else None,
    Quantity.MEMORY: lambda step: step.utilization.memory if step.utilization else None,
    Quantity.DISK: lambda step: step.utilization.disk if step.utilization else None,
    Quantity.GPU: lambda step: step.utilization.gpu if step.utilization else None,
    Quantity.GPU_MEMORY: lambda step: step.utilization.gpu_memory if step.utilization else None,
}


def _quantity_of(steps: Sequence[StepResult], measure: LoadMeasure) -> Reading:
    trusted = sorted((step for step in steps if step.trusted), key=lambda step: step.target)
    if measure.at_rps is None:
        fitting = [step for step in trusted if step.requests.total == step.requests.successful > 0][-1:]
        missing = "No trusted step was without a failed request."
    else:
        fitting = [step for step in trusted if step.rps >= float(measure.at_rps)][:1]
        missing = f"No trusted step reached {measure.at_rps} RPS."
    if not fitting:
        return Missing(missing, Step.LOAD_TEST)
    (step,) = fitting
    of = f"step {step.target}"
    if measure.quantity is Quantity.RPS:
        return Measured(step.rps, of=of)
    if measure.quantity in _LATENCY:
        name = _LATENCY[measure.quantity]
        value = getattr(step.latency_ms, name)
        ends = getattr(step.confidence_ms, name, None)
        return _reading(value, Interval(*ends) if ends else None, of)
    used = _UTILIZATION[measure.quantity](step)
    return Missing("The load test did not measure this on its host.") if used is None else Measured(used, of=of)
