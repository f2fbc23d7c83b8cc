"""Metrics of a matrix as numbers with their intervals: for categorical labels, and for ordinal ones by partition."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mop.deferred import np
from mop.evaluation.metrics.intervals import Interval, intervals, label_intervals
from mop.evaluation.metrics.matrix import (
    BY_LABEL,
    OF_THE_WHOLE,
    ORDINAL,
    ConfusionMatrix,
    Counts,
    Metric,
    Values,
    f1,
    known,
    recall,
    report,
)
from mop.evaluation.metrics.partitions import POSITIVE, Partition, partitions, representing

HEADLINE = "macro_f1"
POSITIVE_F1 = "positive_f1"


@dataclass(frozen=True)
class Number:
    """A metric with its doubt.

    Attributes:
        value: None is undefined.
        interval: at 95 %; None where there is none.
    """

    value: float | None
    interval: Interval | None = None


@dataclass(frozen=True)
class LabelNumbers:
    """One label's line of the classification report."""

    label: str
    support: int
    precision: Number
    recall: Number
    f1: Number


@dataclass(frozen=True, eq=False)
class Numbers:
    """The classification report of a matrix, with intervals.

    Attributes:
        metrics: by name: accuracy, averages (`macro_f1`), correlations, kappa.
        labels: by label of the dataset.
        averaged_over: over how many labels each macro and weighted average is, by its name.
    """

    matrix: ConfusionMatrix
    metrics: Mapping[str, Number]
    labels: tuple[LabelNumbers, ...]
    averaged_over: Mapping[str, int]


def numbers(matrix: ConfusionMatrix, around: Mapping[str, Interval | None] | None = None) -> Numbers:
    """All metrics of a matrix.

    Args:
        matrix: of categorical labels, of one partition, or of levels.
        around: intervals that are known already; what is missing is computed.
    """
    found = report(matrix)
    missing = tuple(name for name in OF_THE_WHOLE if name not in (around or {}))
    around = {**(around or {}), **cached_intervals(matrix, missing)}
    by_label = label_intervals(matrix)
    return Numbers(
        matrix=matrix,
        metrics={name: Number(known(metric(matrix.counts)), around[name]) for name, metric in OF_THE_WHOLE.items()},
        labels=tuple(
            LabelNumbers(
                line.label,
                line.support,
                **{name: Number(getattr(line, name), by_label[place][name]) for name in BY_LABEL},
            )
            for place, line in enumerate(found.labels)
        ),
        averaged_over={
            f"{average}_{metric}": one.labels
            for average, metrics in found.averages.items()
            for metric, one in metrics.items()
        },
    )


def cached_intervals(matrix: ConfusionMatrix, names: tuple[str, ...]) -> dict[str, Interval | None]:
    """Intervals of metrics of the whole. Draws are seeded by the counts, so the same counts always have the same."""
    counts = np.ascontiguousarray(matrix.counts, dtype="<i8")
    return dict(_intervals(counts.tobytes(), counts.shape, names)) if names else {}


@functools.lru_cache(maxsize=4096)
def _intervals(counts: bytes, shape: tuple[int, int], names: tuple[str, ...]) -> Mapping[str, Interval | None]:
    rows, columns = shape
    labels, outside = (tuple(map(str, range(*ends))) for ends in ((0, rows), (rows, columns - 1)))
    matrix = ConfusionMatrix(labels, outside, np.frombuffer(counts, dtype="<i8").reshape(shape))
    return intervals(matrix, {name: _RESAMPLED[name] for name in names})


_RESAMPLED: Mapping[str, Metric] = {**OF_THE_WHOLE, **ORDINAL}


def level_numbers(matrix: ConfusionMatrix, around: Mapping[str, Interval | None]) -> dict[str, Number]:
    """What is about distances in levels; the matrix has them as its labels."""
    missing = tuple(name for name in ORDINAL if name not in around)
    around = {**around, **cached_intervals(matrix, missing)}
    return {name: Number(known(metric(matrix.counts)), around[name]) for name, metric in ORDINAL.items()}


@dataclass(frozen=True, eq=False)
class PartitionNumbers:
    """One ascending partition of ordinal labels as a binary problem."""

    partition: Partition
    numbers: Numbers
    is_representing: bool

    @property
    def name(self) -> str:
        """The levels on both sides: `0 | 1,2,3`."""
        return partition_name(self.partition.lower, self.partition.upper)

    @property
    def positive(self) -> LabelNumbers:
        """The line of the upper side."""
        return next(line for line in self.numbers.labels if line.label == POSITIVE)


def partition_name(lower: Sequence[str], upper: Sequence[str]) -> str:
    """How a partition is written; levels beside a Binary dataset's labels are called `level 0`, which it leaves out."""
    sides = ([level.removeprefix("level ") for level in side] for side in (lower, upper))
    return " | ".join(",".join(side) for side in sides)


def partition_numbers(
    matrix: ConfusionMatrix, levels: tuple[str, ...], around: Mapping[str, Interval | None]
) -> tuple[PartitionNumbers, ...]:
    """Every ascending partition, the lowest cut first; `around` are the intervals of the representing one."""
    found = partitions(matrix, levels)
    best = representing(found)
    return tuple(
        PartitionNumbers(one, numbers(one.matrix, around if one is best else None), one is best) for one in found
    )


def has_levels(matrix: ConfusionMatrix, levels: tuple[str, ...]) -> bool:
    """Whether the dataset itself has the levels, so that distances in levels mean something."""
    return bool(levels) and matrix.labels == levels


def main_matrix(matrix: ConfusionMatrix, levels: tuple[str, ...]) -> ConfusionMatrix:
    """The matrix that lists show numbers of: itself, or that of the representing partition."""
    return representing(partitions(matrix, levels)).matrix if levels else matrix


def headline(found: Numbers, *, is_ordinal: bool) -> Number:
    """The one number that is shown beside a version: macro F1; of an ordinal task F1 of the representing partition.

    Args:
        found: of the main matrix.
        is_ordinal: whether the task is.
    """
    return found.labels[1].f1 if is_ordinal else found.metrics[HEADLINE]


def main_metrics(matrix: ConfusionMatrix, levels: tuple[str, ...]) -> Mapping[str, Metric]:
    """The metrics of lists as functions of the whole matrix's counts, for comparisons on resampled rows.

    Of ordinal labels each resampled matrix has its own representing partition, as a dataset drawn anew would have.
    """
    if not levels:
        by_label = {
            f"{name}:{label}": _of_label(metric, place)
            for name, metric in BY_LABEL.items()
            for place, label in enumerate(matrix.labels)
        }
        return dict(OF_THE_WHOLE) | by_label
    whole = {name: _at_representing(matrix, levels, metric) for name, metric in OF_THE_WHOLE.items()}
    positive = {POSITIVE_F1: _at_representing(matrix, levels, _of_label(f1, 1))}
    return whole | positive | (dict(ORDINAL) if has_levels(matrix, levels) else {})


def _of_label(metric: Metric, place: int) -> Metric:
    def found(counts: Counts) -> Values:
        values: Values = metric(counts)[..., place]
        return values

    return found


def _at_representing(matrix: ConfusionMatrix, levels: tuple[str, ...], metric: Metric) -> Metric:
    """The metric of the partition that represents each matrix of an array of them."""
    is_square = has_levels(matrix, levels)

    def found(counts: Counts) -> Values:
        best, best_f1, best_recall = (np.full(counts.shape[:-2], start) for start in (np.nan, -2.0, -2.0))
        for cut in range(1, len(levels)):
            binary = _binary(counts, cut, is_square=is_square)
            # an undefined value is the least, as in `representing`
            its_f1, its_recall = (np.nan_to_num(one(binary)[..., 1], nan=-1.0) for one in (f1, recall))
            is_better = (its_f1 > best_f1) | ((its_f1 == best_f1) & (its_recall > best_recall))
            best = np.where(is_better, metric(binary), best)
            best_f1, best_recall = np.where(is_better, its_f1, best_f1), np.where(is_better, its_recall, best_recall)
        return best

    return found


def _binary(counts: Counts, cut: int, *, is_square: bool) -> Counts:
    """The counts of one partition, as `metrics.partitions` makes them, for arrays of matrices."""
    if is_square:
        rows = np.stack([counts[..., :cut, :].sum(axis=-2), counts[..., cut:, :].sum(axis=-2)], axis=-2)
    else:
        rows = counts[..., 2:]
    return np.stack([rows[..., :cut].sum(axis=-1), rows[..., cut:-1].sum(axis=-1), rows[..., -1]], axis=-1)
