"""Comparing two versions on the same rows: computed from their kept predictions, and kept."""

from __future__ import annotations

import dataclasses
import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTransform

from mop.deferred import deferred, np
from mop.errors import ConflictError, MopError
from mop.evaluation.comparison_models import EvaluationComparison
from mop.evaluation.dataset_columns import slice_columns_of
from mop.evaluation.headline import headline_datasets
from mop.evaluation.kept import each_part
from mop.evaluation.metrics.comparison import Paired
from mop.evaluation.models import Evaluation
from mop.evaluation.reports.by_slice import reading_order, slice_headline
from mop.evaluation.reports.comparison import ComparisonOut, DifferenceOut, comparison_of, slice_difference
from mop.evaluation.results import document_of
from mop.evaluation.wanted import least_rows_of
from mop.registry.models import Revision
from mop.storage.artifact_store import ArtifactStore

if TYPE_CHECKING:
    import pydantic
    from numpy.typing import NDArray
else:
    pydantic = deferred("pydantic")

logger = logging.getLogger(__name__)
Pair = tuple[uuid.UUID, uuid.UUID]
COMPARED_AT_ONCE = 50


def obstacle(first: Evaluation, second: Evaluation) -> str:
    """Why two evaluations cannot be compared row by row; empty where they can."""
    if first.pk == second.pk:
        return "the same result"
    if first.revision_id == second.revision_id:
        return "same version"
    if (first.dataset_id, first.task_id) != (second.dataset_id, second.task_id):
        return "another dataset or task"
    if not (first.predictions_digest and second.predictions_digest):
        return "not measured"
    if (first.dataset_digest, first.mapping_digest) != (second.dataset_digest, second.mapping_digest):
        return "measured on other rows"
    return ""


def comparison(first: Evaluation, second: Evaluation) -> ComparisonOut:
    """How the second's metrics differ from the first's; computed once.

    Raises:
        ConflictError: they were not measured on the same rows.
        MopError: the predictions cannot be read here.
    """
    if reason := obstacle(first, second):
        raise ConflictError(f"{first.revision} and {second.revision} cannot be compared: {reason}.")
    kept = kept_comparisons([(first, second)])
    if (first.pk, second.pk) in kept:
        return _told(kept[first.pk, second.pk], first, second)
    found = _compared(first, second)
    EvaluationComparison.objects.update_or_create(
        first=first,
        second=second,
        defaults={
            "first_predictions": first.predictions_digest,
            "second_predictions": second.predictions_digest,
            "metric_version": first.metric_version,
            "document": dataclasses.asdict(found),
        },
    )
    return _told(found, first, second)


def _told(found: ComparisonOut, *evaluations: Evaluation) -> ComparisonOut:
    """Without slices where they need more rows now than when a result was counted, as the results themselves."""
    counted_with = min(least_rows_of(one.metric_version) for one in evaluations)
    if counted_with >= settings.MOP_EVALUATION_SLICE_ROWS_MIN:
        return found
    return dataclasses.replace(found, slices=())


def kept_comparisons(pairs: Iterable[tuple[Evaluation, Evaluation]]) -> Mapping[Pair, ComparisonOut]:
    """Comparisons that were computed already and still count. One query."""
    wanted = {(first.pk, second.pk): (first, second) for first, second in pairs}
    if not wanted:
        return {}
    seconds = {second for _, second in wanted}
    found = {}
    for row in EvaluationComparison.objects.filter(second__in=seconds):
        pair = wanted.get((row.first_id, row.second_id))
        if pair is not None and _counts(row, *pair) and "right_by" in row.document:
            found[row.first_id, row.second_id] = _document().validate_python(row.document)
    return found


def _counts(row: EvaluationComparison, first: Evaluation, second: Evaluation) -> bool:
    return (row.first_predictions, row.second_predictions) == (
        first.predictions_digest,
        second.predictions_digest,
    ) and row.metric_version == first.metric_version == second.metric_version


def with_previous(evaluations: QuerySet[Evaluation], *, among: QuerySet[Revision] | None = None) -> Any:
    """Annotated with `before`: the result of the version before on the same rows, by its id.

    Args:
        evaluations: of any versions.
        among: versions that the one before may be, such as those that a person sees; None: all.
    """
    before = Evaluation.objects.filter(
        revision__model=OuterRef("revision__model"),
        revision__created_at__lt=OuterRef("revision__created_at"),
        dataset=OuterRef("dataset"),
        task=OuterRef("task"),
        dataset_digest=OuterRef("dataset_digest"),
        mapping_digest=OuterRef("mapping_digest"),
        measured_at__isnull=False,
    ).order_by("-revision__created_at")
    if among is not None:
        before = before.filter(revision__in=among.order_by().values("pk"))
    return evaluations.annotate(
        before=Subquery(before.values("pk")[:1]), before_version=Subquery(before.values("revision__version")[:1])
    )


def with_kept_comparison(evaluations: Any) -> Any:
    """Annotated with `compared`: the metrics of the kept comparison with `before`, if it still counts."""
    kept = EvaluationComparison.objects.filter(
        second=OuterRef("pk"),
        first=OuterRef("before"),
        first_predictions=F("first__predictions_digest"),
        second_predictions=F("second__predictions_digest"),
        metric_version=F("first__metric_version"),
        second__metric_version=F("metric_version"),
    )
    return evaluations.annotate(compared=Subquery(kept.values(metrics=KeyTransform("metrics", "document"))[:1]))


def difference_of(kept: Mapping[str, Any]) -> DifferenceOut:
    """One metric of a kept comparison."""
    return _difference().validate_python(kept)


def previous_result(evaluation: Evaluation) -> Evaluation | None:
    """The result of the version before on the same rows; None where there is none."""
    return previous_results([evaluation]).get(evaluation.pk)


def previous_results(evaluations: Sequence[Evaluation]) -> Mapping[uuid.UUID, Evaluation]:
    """Of each evaluation the result of the version before on the same rows, where there is one. Two queries."""
    rows = with_previous(Evaluation.objects.filter(pk__in=[one.pk for one in evaluations])).exclude(before=None)
    of = dict(rows.order_by().values_list("pk", "before"))
    found = {one.pk: one for one in Evaluation.objects.filter(pk__in=of.values()).select_related("revision")}
    return {pk: found[before] for pk, before in of.items() if before in found}


def compare_new() -> None:
    """Compare results on headline datasets with those of the version before, so that histories tell what changed."""
    tasks = Evaluation.objects.order_by().values_list("task_id", flat=True).distinct()
    at_headline = Q(pk__in=[])
    for task, dataset in headline_datasets(list(tasks)).items():
        at_headline |= Q(task=task, dataset=dataset)
    compared = EvaluationComparison.objects.filter(
        first=OuterRef("before"), second=OuterRef("pk"), second_predictions=OuterRef("predictions_digest")
    )
    fresh = (
        with_previous(Evaluation.objects.filter(at_headline, measured_at__isnull=False))
        .exclude(before=None)
        .exclude(Exists(compared))
    )
    rows = list(fresh.select_related("revision", "result", "dataset__file").order_by("-measured_at")[:COMPARED_AT_ONCE])
    before = previous_results(rows)
    for row in rows:
        try:
            comparison(before[row.pk], row)
        except MopError as error:
            logger.warning("%s is not compared with the version before: %s", row, error.message)


def _compared(first: Evaluation, second: Evaluation) -> ComparisonOut:
    documents = (document_of(first), document_of(second))
    matrix, levels = documents[0].matrix, documents[0].levels
    before, after = (_rows_of(evaluation.predictions_digest) for evaluation in (first, second))
    if not np.array_equal(before.true, after.true):
        raise ConflictError(f"{first.revision} and {second.revision} were measured on other rows.")

    def paired(rows: NDArray[np.bool_] | slice) -> Paired:
        codes = (before.true[rows], before.said[rows], after.said[rows])
        return Paired.from_codes(*codes, matrix.labels, matrix.outside)

    columns = slice_columns_of(first.dataset).values
    shown = [{one.name: one for one in document.slices} for document in documents]
    metric = slice_headline(is_ordinal=bool(levels))
    slices = []
    both = shown[0].keys() & shown[1].keys()
    for name in sorted(both, key=lambda one: reading_order(one.column, one.value)):
        place = list(columns).index(name.column)
        rows = before.slices[:, place] == columns[name.column].index(name.value)
        values = tuple(document.slice_value(found[name]) for document, found in zip(documents, shown, strict=True))
        slices.append(
            slice_difference(
                name,
                (values[0], values[1]),
                None if levels else paired(rows),
                metric=metric,
                rows=shown[0][name].rows,
            )
        )
    return dataclasses.replace(comparison_of(paired(slice(None)), levels), slices=tuple(slices))


@dataclasses.dataclass(frozen=True, eq=False)
class _Rows:
    """Of each row the places of its label, of the prediction and of its value in each slice column."""

    true: NDArray[np.int64]
    said: NDArray[np.int64]
    slices: NDArray[np.uint8]


@async_to_sync
async def _rows_of(digest: str) -> _Rows:
    parts = [part async for part in each_part(_store(), digest)]
    return _Rows(
        true=np.concatenate([part.true for part in parts]).astype(np.int64),
        said=np.concatenate([part.predicted for part in parts]).astype(np.int64),
        slices=np.concatenate([part.slices for part in parts]),
    )


@cache
def _document() -> pydantic.TypeAdapter[ComparisonOut]:
    return pydantic.TypeAdapter(ComparisonOut)


@cache
def _difference() -> pydantic.TypeAdapter[DifferenceOut]:
    return pydantic.TypeAdapter(DifferenceOut)


@cache
def _store() -> ArtifactStore:
    return ArtifactStore.local(settings.MOP_HOME / "artifacts")
