"""The document of an evaluation: what the API answers, downloads hold and the page of details draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mop.evaluation.metrics.intervals import Interval
from mop.evaluation.metrics.matrix import ConfusionMatrix
from mop.evaluation.reports.by_slice import SliceReport, slice_headline, slice_reports
from mop.evaluation.reports.numbers import (
    LabelNumbers,
    Number,
    Numbers,
    PartitionNumbers,
    has_levels,
    headline,
    level_numbers,
    numbers,
    partition_numbers,
)
from mop.evaluation.reports.scores import (
    CalibrationFigures,
    ScoreFigures,
    SubgroupFigures,
    calibration_figures,
    score_figures,
)
from mop.evaluation.reports.shown import Shown


@dataclass(frozen=True)
class IntervalOut:
    """Both ends of a 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class MatrixOut:
    """A confusion matrix: rows are labels of the dataset, columns what was predicted, "no answer" last."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class LabelOut:
    """A label's line of the classification report; null is undefined."""

    label: str
    support: int
    precision: float | None
    recall: float | None
    f1: float | None
    intervals: Mapping[str, IntervalOut | None]


@dataclass(frozen=True)
class PartitionOut:
    """An ascending partition of ordinal labels; `positive` is the line of the upper side."""

    name: str
    lower: tuple[str, ...]
    upper: tuple[str, ...]
    is_representing: bool
    confusion_matrix: MatrixOut
    labels: tuple[LabelOut, ...]
    metrics: Mapping[str, float | None]
    intervals: Mapping[str, IntervalOut | None]


@dataclass(frozen=True)
class SliceOut:
    """A slice; where it is withheld, `withheld` says why and everything else is null."""

    column: str
    value: str
    rows: int | None
    withheld: str
    metrics: Mapping[str, float | None] | None
    intervals: Mapping[str, IntervalOut | None] | None
    is_low: bool
    is_worst: bool
    subgroups: tuple[SubgroupFigures, ...]


@dataclass(frozen=True)
class ReportOut:
    """Everything that is told of an evaluation.

    Attributes:
        labels: of the dataset (after a merge: the merged ones), in the order of the task.
        levels: of an ordinal task; empty where it is categorical.
        merges: labels that were put together, and what they are called.
        no_answer: rows without an answer, which count as wrong.
        headline: the metric that stands for the evaluation in lists.
        metrics: of the whole by name. Of an ordinal task: of the representing partition, and what is about levels.
        averaged_over: over how many labels an average is: those for which the metric is defined.
        by_label: the classification report; of an ordinal task that of the representing partition.
        slice_metric: the metric by which slices are compared.
        least_rows: slices with fewer rows are withheld.
    """

    rows: int
    no_answer: int
    labels: tuple[str, ...]
    levels: tuple[str, ...]
    merges: Mapping[str, str]
    confusion_matrix: MatrixOut
    headline: str
    metrics: Mapping[str, float | None]
    intervals: Mapping[str, IntervalOut | None]
    averaged_over: Mapping[str, int]
    by_label: tuple[LabelOut, ...]
    partitions: tuple[PartitionOut, ...]
    curves: tuple[ScoreFigures, ...]
    calibration: CalibrationFigures | None
    calibration_by_label: Mapping[str, CalibrationFigures]
    slices: tuple[SliceOut, ...]
    slice_metric: str
    least_rows: int

    @property
    def representing(self) -> PartitionOut | None:
        """The partition that stands for all; None where the task is categorical."""
        return next((one for one in self.partitions if one.is_representing), None)

    @property
    def worst_slice(self) -> SliceOut | None:
        """The slice with the lowest value among those that are shown; None where fewer than two are."""
        return next((one for one in self.slices if one.is_worst), None)


HEADLINE_NAMES = {False: "macro_f1", True: "positive_f1"}


def report_of(shown: Shown, merges: Mapping[str, str] | None = None) -> ReportOut:
    """The document of an evaluation.

    Args:
        shown: what may be told of it.
        merges: labels to put together; see `ConfusionMatrix.merged`. Scores of merged labels have no figures.

    Raises:
        ValueError: a merge of ordinal labels (partitions do that), of what is no label, or of all labels into one.
    """
    merges = dict(merges or {})
    if merges and shown.levels:
        raise ValueError("labels of an ordinal task are not merged: its partitions do that")
    matrix = shown.matrix.merged(merges) if merges else shown.matrix
    if merges and len(matrix.labels) < 2:  # noqa: PLR2004 - one label alone cannot be told apart from anything
        raise ValueError("at least two labels remain")
    around = {} if merges else shown.intervals
    found = partition_numbers(matrix, shown.levels, around) if shown.levels else ()
    main = next((one.numbers for one in found if one.is_representing), None) or numbers(matrix, around)
    metrics = dict(main.metrics)
    metrics[HEADLINE_NAMES[bool(shown.levels)]] = headline(main, is_ordinal=bool(shown.levels))
    if has_levels(matrix, shown.levels):
        metrics |= level_numbers(matrix, around)
    kept = {label: one for label, one in shown.scores.items() if label not in merges}
    return ReportOut(
        rows=matrix.total,
        no_answer=matrix.no_answer,
        labels=matrix.labels,
        levels=shown.levels,
        merges=merges,
        confusion_matrix=_matrix(matrix),
        headline=HEADLINE_NAMES[bool(shown.levels)],
        metrics=_values(metrics),
        intervals=_intervals(metrics),
        averaged_over=main.averaged_over,
        by_label=_labels(main),
        partitions=tuple(_partition(one) for one in found),
        curves=score_figures(kept),
        # a merge changes what is right, and how often predicted labels were right is not kept by label
        calibration=calibration_figures(shown.confidence) if shown.confidence and not merges else None,
        calibration_by_label={
            label: calibration_figures(one) for label, one in shown.calibration.items() if label in kept
        },
        slices=tuple(_slice(one) for one in slice_reports(shown, merges)),
        slice_metric=slice_headline(is_ordinal=bool(shown.levels)),
        least_rows=shown.least,
    )


def _matrix(matrix: ConfusionMatrix) -> MatrixOut:
    counts = tuple(tuple(int(count) for count in row) for row in matrix.counts)
    return MatrixOut(matrix.labels, matrix.columns, counts)


def _labels(found: Numbers) -> tuple[LabelOut, ...]:
    return tuple(_label(line) for line in found.labels)


def _label(line: LabelNumbers) -> LabelOut:
    metrics = {"precision": line.precision, "recall": line.recall, "f1": line.f1}
    return LabelOut(line.label, line.support, **_values(metrics), intervals=_intervals(metrics))


def _partition(one: PartitionNumbers) -> PartitionOut:
    metrics = {**one.numbers.metrics, "positive_f1": one.positive.f1}
    return PartitionOut(
        name=one.name,
        lower=one.partition.lower,
        upper=one.partition.upper,
        is_representing=one.is_representing,
        confusion_matrix=_matrix(one.partition.matrix),
        labels=_labels(one.numbers),
        metrics=_values(metrics),
        intervals=_intervals(metrics),
    )


def _slice(one: SliceReport) -> SliceOut:
    return SliceOut(
        column=one.column,
        value=one.value,
        rows=one.rows,
        withheld=one.withheld,
        metrics=None if one.metrics is None else _values(one.metrics),
        intervals=None if one.metrics is None else _intervals(one.metrics),
        is_low=one.is_low,
        is_worst=one.is_worst,
        subgroups=one.subgroups,
    )


def _values(metrics: Mapping[str, Number]) -> dict[str, float | None]:
    return {name: number.value for name, number in metrics.items()}


def _intervals(metrics: Mapping[str, Number]) -> dict[str, IntervalOut | None]:
    return {name: _interval(number.interval) for name, number in metrics.items()}


def _interval(interval: Interval | None) -> IntervalOut | None:
    return None if interval is None else IntervalOut(interval.low, interval.high)
