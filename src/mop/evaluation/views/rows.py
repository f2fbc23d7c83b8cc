"""Rows of results as the pages draw them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.fields.json import KeyTransform
from django.urls import reverse
from django.utils.safestring import SafeString

from mop.catalog.models import LabelType
from mop.deferred import np
from mop.errors import MopError
from mop.evaluation.comparisons import comparison, obstacle
from mop.evaluation.listing import PIN_NAMES, Query, ResultsPage
from mop.evaluation.metrics.intervals import label_intervals
from mop.evaluation.metrics.matrix import ConfusionMatrix
from mop.evaluation.metrics.partitions import partitions, representing
from mop.evaluation.models import Evaluation, EvaluationResult
from mop.evaluation.reports.comparison import DifferenceOut
from mop.evaluation.reports.numbers import partition_name
from mop.evaluation.states import EvaluationState
from mop.evaluation.views.row_cells import NOTHING, Cells, Ends
from mop.registry.statuses import PublishStatus
from mop.ui.figures import Span, span_of


@dataclass(frozen=True)
class ShownRow:
    """One evaluation in a list.

    Attributes:
        pin: its letter among those that are compared; empty where it is not.
        first_cells: of the pin and of the name.
        value_cells: of the numbers; empty where there is no result.
        last_cell: of the link to the details.
    """

    evaluation: Evaluation
    pin: str
    first_cells: SafeString
    value_cells: SafeString
    last_cell: SafeString

    @property
    def state(self) -> EvaluationState:
        """Its state."""
        return self.evaluation.get_state()


@dataclass(frozen=True)
class ShownGroup:
    """The rows of one dataset and task."""

    first: Evaluation
    rows: Sequence[ShownRow]


@dataclass(frozen=True)
class ShownResults:
    """A page of results as it is drawn."""

    pinned: Sequence[ShownRow]
    groups: Sequence[ShownGroup]
    span: Span
    metric_version: str


def shown_results(page: ResultsPage, *, scope: str, links_all: bool) -> ShownResults:
    """The rows of a page with their figures, and what those pinned are compared with.

    Args:
        page: the rows.
        scope: model, task or dataset: what the page is of.
        links_all: whether single results of private versions lead to their details too.
    """
    query = page.query
    field = query.metric_field(query.metric)
    found = _kept(page.rows, field, query)
    kept = {row.pk: found.get(row.pk, _Kept()) for row in page.rows}
    span = span_of(value for row in page.rows for value in (getattr(row, field), *(kept[row.pk].ends or ())))
    cells = Cells(query, scope, span)
    baseline = page.pinned[0] if page.pinned else None
    letters = dict(zip((row.pk for row in page.pinned), PIN_NAMES, strict=False))

    def numbers(row: Evaluation) -> SafeString:
        difference, shift = _shift(baseline, row, _compared_name(query, field)) if row.pk in letters else (None, "")
        same_rows = baseline is not None and (row.dataset_id, row.task_id) == (baseline.dataset_id, baseline.task_id)
        reference = getattr(baseline, field) if same_rows and row.pk != getattr(baseline, "pk", None) else None
        return (
            cells.values(row, kept[row.pk].ends, reference=reference, is_baseline=row is baseline)
            + cells.shift(difference, shift)
            + cells.others(row, kept[row.pk].partition)
        )

    def shown(row: Evaluation, *, is_pinned: bool = False) -> ShownRow:
        pin = letters.get(row.pk, "")
        url = details_url(row) if links_all or row.revision.publish_status == PublishStatus.PUBLIC else ""
        return ShownRow(
            evaluation=row,
            pin=pin,
            first_cells=cells.check(row, pin=pin) + cells.title(row, is_linked=bool(url), names_dataset=is_pinned),
            value_cells=numbers(row) if row.is_measured else NOTHING,
            last_cell=cells.end(row, url),
        )

    return ShownResults(
        pinned=[shown(row, is_pinned=True) for row in page.pinned],
        groups=[ShownGroup(group.first, [shown(row) for row in group.rows]) for group in page.groups],
        span=span,
        metric_version=next((row.metric_version for row in page.rows if row.metric_version), ""),
    )


def details_url(row: Evaluation) -> str:
    """The page of an evaluation."""
    return reverse(
        "evaluation:details", args=[row.revision.model.name, row.revision.version, row.task_id, row.dataset.name]
    )


@dataclass(frozen=True)
class _Kept:
    """What a row shows of its result: the interval of the metric, the partition that represents an ordinal one."""

    ends: Ends | None = None
    partition: str = ""


def _compared_name(query: Query, field: str) -> str:
    """The metric's name in comparisons."""
    return f"{query.metric}:{query.label}" if query.label and query.metric != "accuracy" else field


def _kept(rows: Sequence[Evaluation], field: str, query: Query) -> dict[uuid.UUID, _Kept]:
    """What is not kept in columns for lists. One query at most."""
    found: dict[uuid.UUID, _Kept] = {}
    missing = []
    for row in rows:
        is_headline = field == "macro_f1" and row.task.label_type == LabelType.CATEGORICAL
        if is_headline and row.headline_low is not None and row.headline_high is not None:
            found[row.pk] = _Kept((row.headline_low, row.headline_high))
        elif row.is_measured:
            missing.append(row.pk)
    if missing:
        names = ("labels", "outside", "levels", "matrix")
        results: Any = EvaluationResult.objects.filter(evaluation__in=missing).annotate(
            ends=KeyTransform(field, KeyTransform("intervals", "document")),
            **{f"its_{name}": KeyTransform(name, "document") for name in names},
        )
        is_label = bool(query.label) and query.metric != "accuracy"
        for pk, kept, *parts in results.values_list("evaluation_id", "ends", *(f"its_{name}" for name in names)):
            ends = _label_ends(query, *parts) if is_label else kept
            found[pk] = _Kept(tuple(ends) if ends else None, _partition(*parts))
    return found


def _label_ends(
    query: Query, labels: list[str], outside: list[str], levels: list[str], counts: list[list[int]]
) -> Ends | None:
    if levels or query.label not in labels:
        return None
    matrix = ConfusionMatrix(tuple(labels), tuple(outside), np.array(counts, dtype=np.int64))
    interval = label_intervals(matrix)[labels.index(query.label)][query.metric]
    return (interval.low, interval.high) if interval else None


def _partition(labels: list[str], outside: list[str], levels: list[str], counts: list[list[int]]) -> str:
    if not levels:
        return ""
    matrix = ConfusionMatrix(tuple(labels), tuple(outside), np.array(counts, dtype=np.int64))
    best = representing(partitions(matrix, tuple(levels)))
    return partition_name(best.lower, best.upper)


def _shift(baseline: Evaluation | None, row: Evaluation, field: str) -> tuple[DifferenceOut | None, str]:
    """The difference of a pinned row to the baseline; else in words why there is none."""
    if baseline is None or row.pk == baseline.pk:
        return None, "baseline"
    if reason := obstacle(baseline, row):
        return None, reason
    try:
        found = comparison(baseline, row)
    except MopError:
        return None, "predictions cannot be read"
    return found.metrics.get(field), "" if field in found.metrics else "not compared"
