"""The values of conditions, read from results. No database is needed: the same results give the same values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mop.evaluation.metrics import ConfusionMatrix
from mop.evaluation.metrics.intervals import Interval, intervals, label_intervals
from mop.evaluation.metrics.matrix import BY_LABEL, OF_THE_WHOLE, known
from mop.evaluation.results import EvaluationDocument
from mop.loadtest.results import StepResult
from mop.releases.gates.conditions import Cut, EvaluationMeasure, LoadMeasure, Metric, Quantity
from mop.releases.gates.verdicts import Measured, Missing, Reading, Step

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


def metric_of(document: EvaluationDocument, cut: Cut | None, measure: EvaluationMeasure) -> Reading:
    """A metric of a result, of one partition where `cut` is given."""
    if not document.is_measured_for_gates:
        lost, rows = document.matrix.no_answer, document.matrix.total
        return Missing(f"{lost:,} of {rows:,} rows have no answer; a gate allows 1 %.", Step.EVALUATION)
    matrix = _matrix(document, cut)
    of = f"{matrix.total:,} rows"
    if measure.label is not None:
        if measure.label not in matrix.labels:
            return Missing(f"The dataset has no label “{measure.label}”.")
        place = matrix.labels.index(measure.label)
        name = measure.metric.lower()
        value = known(BY_LABEL[name](matrix.counts)[place])
        return _reading(value, label_intervals(matrix)[place][name], of)
    name = name_of(measure)
    metric = OF_THE_WHOLE[name]
    return _reading(known(metric(matrix.counts)), intervals(matrix, {name: metric})[name], of)


def is_by_level(document: EvaluationDocument) -> bool:
    """Whether metrics without a partition are of the levels: of an ordinal task on an ordinal dataset."""
    return bool(document.levels) and not document.matrix.outside


def name_of(measure: EvaluationMeasure) -> str:
    """The name among `OF_THE_WHOLE` of a metric that is not of one label."""
    return "accuracy" if measure.metric is Metric.ACCURACY else f"{measure.average}_{measure.metric.lower()}"


def quantity_of(steps: Sequence[StepResult], measure: LoadMeasure) -> Reading:
    """A quantity of a load test, at the step that the condition means."""
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


def _matrix(document: EvaluationDocument, cut: Cut | None) -> ConfusionMatrix:
    if cut is not None:
        return document.partitions[len(cut.lower) - 1].matrix
    if is_by_level(document):  # a level that no row has is none of the dataset's labels
        return document.matrix.of_present_labels()
    # of an ordinal task on a binary dataset the matrix has no diagonal: a partition stands for it
    return document.decision if document.levels else document.matrix


def _reading(value: float | None, interval: Interval | None, of: str) -> Reading:
    if value is None:
        return Missing("The value is undefined on this dataset.")
    if interval is None:
        return Measured(value, of=of)
    return Measured(value, interval.low, interval.high, of)
