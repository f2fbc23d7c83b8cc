"""Metrics of slices, and which of them is the worst."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mop.evaluation.metrics.intervals import label_intervals, shares
from mop.evaluation.metrics.matrix import OF_THE_WHOLE, ConfusionMatrix, f1, known
from mop.evaluation.metrics.partitions import partitions, representing
from mop.evaluation.reports.numbers import HEADLINE, POSITIVE_F1, Number, cached_intervals
from mop.evaluation.reports.scores import SubgroupFigures, subgroup_figures
from mop.evaluation.reports.shown import Shown, ShownSlice
from mop.evaluation.results import LENGTH_COLUMN

_NUMBER = re.compile(r"\d[\d,]*")
SLICE_METRICS = (HEADLINE, "macro_precision", "macro_recall", "accuracy")


@dataclass(frozen=True)
class SliceReport:
    """What is told of one slice.

    Attributes:
        rows: None where it is withheld.
        withheld: the reason; empty where it is shown.
        metrics: of an ordinal task those of the whole dataset's representing partition, so that slices are measured by
            the same problem. Empty where it is withheld.
        is_low: whether its interval lies below the whole dataset's value.
        is_worst: whether no slice that is shown has a lower value.
        subgroups: of its scores against those of all other rows.
    """

    column: str
    value: str
    rows: int | None
    withheld: str = ""
    metrics: Mapping[str, Number] | None = None
    is_low: bool = False
    is_worst: bool = False
    subgroups: tuple[SubgroupFigures, ...] = ()


def slice_headline(*, is_ordinal: bool) -> str:
    """The metric by which slices are compared."""
    return POSITIVE_F1 if is_ordinal else HEADLINE


def slice_reports(shown: Shown, merges: Mapping[str, str] | None = None) -> tuple[SliceReport, ...]:
    """All slices by column and value, the withheld ones by name and reason alone."""
    name_of_metric = slice_headline(is_ordinal=bool(shown.levels))
    cut = _cut(shown)
    matrices = {name: _seen(counts.matrix, shown.levels, cut, merges) for name, counts in shown.slices.items()}
    metrics = {name: _metrics(matrix, is_ordinal=bool(shown.levels)) for name, matrix in matrices.items()}
    whole = _headline_value(_seen(shown.matrix, shown.levels, cut, merges), is_ordinal=bool(shown.levels))
    values = {name: value for name in metrics if (value := metrics[name][name_of_metric].value) is not None}
    worst = min(values, key=lambda name: (values[name], name)) if len(values) > 1 else None
    found = [
        SliceReport(
            column=name.column,
            value=name.value,
            rows=counts.matrix.total,
            metrics=metrics[name],
            is_low=_is_below(metrics[name][name_of_metric], whole),
            is_worst=name == worst,
            subgroups=_subgroups(counts, shown, merges),
        )
        for name, counts in shown.slices.items()
    ]
    found += [SliceReport(name.column, name.value, None, reason) for name, reason in shown.withheld.items()]
    return tuple(sorted(found, key=lambda one: reading_order(one.column, one.value)))


def reading_order(column: str, value: str) -> tuple[str, int, str]:
    """Where a slice stands in a list: by column and value, ranges of text lengths from the shortest."""
    first = _NUMBER.search(value) if column == LENGTH_COLUMN else None
    return column, int(first[0].replace(",", "")) if first else 0, value


def _cut(shown: Shown) -> int:
    """Of an ordinal task: how many levels stand below the representing partition's cut."""
    return len(representing(partitions(shown.matrix, shown.levels)).lower) if shown.levels else 0


def _seen(
    matrix: ConfusionMatrix, levels: tuple[str, ...], cut: int, merges: Mapping[str, str] | None
) -> ConfusionMatrix:
    if levels:
        return partitions(matrix, levels)[cut - 1].matrix
    return matrix.merged(merges) if merges else matrix


def _metrics(matrix: ConfusionMatrix, *, is_ordinal: bool) -> Mapping[str, Number]:
    """Shares and the headline have intervals; to resample more for every slice takes too long for a page."""
    around = dict(shares(matrix))
    if not is_ordinal:
        around |= cached_intervals(matrix, (HEADLINE,))
    found = {name: Number(known(OF_THE_WHOLE[name](matrix.counts)), around.get(name)) for name in SLICE_METRICS}
    if is_ordinal:
        found[POSITIVE_F1] = Number(_headline_value(matrix, is_ordinal=True), label_intervals(matrix)[1]["f1"])
    return found


def _headline_value(matrix: ConfusionMatrix, *, is_ordinal: bool) -> float | None:
    return known(f1(matrix.counts)[1]) if is_ordinal else known(OF_THE_WHOLE[HEADLINE](matrix.counts))


def _is_below(number: Number, whole: float | None) -> bool:
    return number.interval is not None and whole is not None and number.interval.high < whole


def _subgroups(counts: ShownSlice, shown: Shown, merges: Mapping[str, str] | None) -> tuple[SubgroupFigures, ...]:
    """Scores belong to single labels: a merge has none."""
    kept = {label: one for label, one in counts.scores.items() if label not in (merges or {})}
    return subgroup_figures(kept, shown.scores)
