"""Two revisions on the same rows: whether a difference of their metrics is more than chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mop.deferred import np
from mop.evaluation.metrics.comparison import LEAST_DIFFERENT, Paired, counts_are_withheld, differences, mcnemar
from mop.evaluation.metrics.matrix import OF_THE_WHOLE, ConfusionMatrix, known
from mop.evaluation.metrics.partitions import partitions, representing
from mop.evaluation.metrics.slices import SliceName
from mop.evaluation.reports.document import IntervalOut
from mop.evaluation.reports.numbers import has_levels, main_metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class DifferenceOut:
    """How much a metric of the second revision is above the first's; null is undefined."""

    first: float | None
    second: float | None
    difference: float | None
    interval: IntervalOut | None
    is_significant: bool


@dataclass(frozen=True)
class SliceDifferenceOut:
    """How much the headline metric of a slice is above the first revision's.

    Of the two revisions' rows in it no counts are told. Where both differ on too few rows of the slice, or the task is
    ordinal, there is no interval, and nothing is said about chance.

    Attributes:
        rows: of the slice.
    """

    column: str
    value: str
    rows: int
    metric: str
    first: float | None
    second: float | None
    difference: float | None
    interval: IntervalOut | None
    is_significant: bool | None


@dataclass(frozen=True)
class ComparisonOut:
    """Two revisions on the same rows.

    Attributes:
        different, only_first_right, only_second_right: rows; null where the two differ on too few rows, because counts
            would tell about single ones. So is `mcnemar`, which follows from them.
        right_by: a prediction is right that is the row's label; of an ordinal task on a binary dataset, whose labels no
            level is, one on the row's side of the partition that represents its revision.
        least_different: on how many rows two revisions differ at least for that.
        metrics: by name, those of lists; of an ordinal task of the representing partition.
        slices: those that both results show.
    """

    rows: int
    different: int | None
    only_first_right: int | None
    only_second_right: int | None
    mcnemar: float | None
    right_by: Literal["label", "partition"]
    least_different: int
    metrics: Mapping[str, DifferenceOut]
    slices: tuple[SliceDifferenceOut, ...] = ()


def comparison_of(paired: Paired, levels: tuple[str, ...], *, least: int = LEAST_DIFFERENT) -> ComparisonOut:
    """Compare two revisions.

    Args:
        paired: their predictions.
        levels: of an ordinal task; empty where it is categorical.
        least: on how many rows they differ at least for counts to be told.
    """
    wanted = main_metrics(paired.first, levels)
    found = differences(paired, wanted)
    first, second = (
        {name: known(metric(matrix.counts)) for name, metric in wanted.items()}
        for matrix in (paired.first, paired.second)
    )
    is_withheld = counts_are_withheld(paired, least=least)
    by_partition = bool(levels) and not has_levels(paired.first, levels)
    right = [_right(one, levels if by_partition else ()) for one in (paired.first, paired.second)]
    only_first, only_second = paired.right_alone(*right)
    return ComparisonOut(
        rows=int(paired.counts.sum()),
        different=None if is_withheld else paired.different,
        only_first_right=None if is_withheld else only_first,
        only_second_right=None if is_withheld else only_second,
        mcnemar=None if is_withheld else mcnemar(only_first, only_second),
        right_by="partition" if by_partition else "label",
        least_different=least,
        metrics={
            name: DifferenceOut(
                first[name],
                second[name],
                one.value,
                # an interval of resampled pairs is a function of the counts: of few rows it would give them away
                None if is_withheld or one.interval is None else IntervalOut(one.interval.low, one.interval.high),
                one.is_significant,
            )
            for name, one in found.items()
        },
    )


def _right(matrix: ConfusionMatrix, levels: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which predictions are right, by true label; with levels those on the side of the representing partition."""
    if levels:
        return representing(partitions(matrix, levels)).right_of_binary(matrix)
    return np.eye(*matrix.counts.shape, dtype=np.bool_)


def slice_difference(
    name: SliceName,
    values: tuple[float | None, float | None],
    paired: Paired | None,
    *,
    metric: str,
    rows: int,
    least: int = LEAST_DIFFERENT,
) -> SliceDifferenceOut:
    """Compare two revisions on the rows of a slice.

    Args:
        name: of the slice, which both results show.
        values: of the metric, as both results show them.
        paired: the predictions on its rows; None where the metric is of a partition, which is each revision's own.
        metric: by which slices are compared.
        rows: of the slice.
        least: on how many rows the revisions differ at least for an interval to be told.
    """
    first, second = values
    found = None
    if paired is not None and not counts_are_withheld(paired, least=least):
        found = differences(paired, {metric: OF_THE_WHOLE[metric]})[metric]
    interval = found.interval if found else None
    return SliceDifferenceOut(
        column=name.column,
        value=name.value,
        rows=rows,
        metric=metric,
        first=first,
        second=second,
        difference=None if first is None or second is None else second - first,
        interval=IntervalOut(interval.low, interval.high) if interval else None,
        is_significant=found.is_significant if found else None,
    )
