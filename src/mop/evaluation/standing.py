"""Which results stand, and who sees them: the reads that every page, list, ranking and download begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.datasets.models import Binding, Dataset
from mop.datasets.states import BindingState, DatasetStatus
from mop.errors import NotFoundError
from mop.evaluation.models import Evaluation, LabelScore
from mop.registry.models import Model, Revision, TaskConnection
from mop.registry.selectors import visible_revisions
from mop.registry.statuses import PublishStatus, RevisionStatus

_RELATED = ("revision", "revision__model", "dataset", "dataset__file", "task")


def evaluations() -> QuerySet[Evaluation]:
    """Evaluations of connected tasks, with what a row shows. A disconnected task hides its results."""
    connected = TaskConnection.objects.filter(model=OuterRef("revision__model"), task=OuterRef("task"))
    return Evaluation.objects.filter(Exists(connected)).select_related(*_RELATED)


def evaluations_of_model(user: User, model: Model) -> QuerySet[Evaluation]:
    """Every evaluation of a model's versions that the user may see, also without a result."""
    seen = visible_revisions(user).filter(model=model).values("pk")
    return evaluations().filter(revision__in=seen)


def shown_to_everybody() -> QuerySet[Evaluation]:
    """Results of public versions, and single ones that owners published."""
    is_public = Q(revision__publish_status=PublishStatus.PUBLIC) | Q(published_at__isnull=False)
    return evaluations().filter(is_public, measured_at__isnull=False)


def best_of(task: Task) -> QuerySet[Evaluation]:
    """Results that may be the best on a dataset of a task: of usable versions alone, on datasets approved for it."""
    return _approved(shown_to_everybody().filter(task=task, revision__status=RevisionStatus.VERIFIED))


def competing() -> QuerySet[Evaluation]:
    """Results that are ranked: of public usable versions, on datasets that are approved for the task."""
    return _approved(
        evaluations().filter(
            measured_at__isnull=False,
            revision__publish_status=PublishStatus.PUBLIC,
            revision__status=RevisionStatus.VERIFIED,
        )
    )


def results_of(revision: Revision) -> QuerySet[Evaluation]:
    """A version's own results on approved datasets."""
    return _approved(evaluations().filter(revision=revision, measured_at__isnull=False))


def _approved(rows: QuerySet[Evaluation]) -> QuerySet[Evaluation]:
    approved = Binding.objects.filter(
        task=OuterRef("task"),
        dataset=OuterRef("dataset"),
        state=BindingState.APPROVED,
        dataset__status=DatasetStatus.VERIFIED,
    )
    return rows.filter(Exists(approved))


def get_evaluation(user: User, revision: Revision, *, task: Task | str | int, dataset: str) -> Evaluation:
    """One evaluation of a visible revision, with its result.

    Args:
        user: who asks.
        revision: that the user sees.
        task: itself, its name or its id.
        dataset: its name.

    Raises:
        NotFoundError: there is none.
    """
    which = {"task__name": task} if isinstance(task, str) else {"task": task}
    seen = visible_revisions(user).filter(pk=revision.pk).values("pk")
    found = (
        evaluations()
        .select_related("result", "revision__model__team", "revision__instance_type", "dataset__reading")
        .filter(revision__in=seen, dataset__name=dataset, **which)
        .first()
    )
    if found is None:
        raise NotFoundError(f"There is no evaluation of {revision} on a dataset {dataset!r} for this task.")
    return found


def approved_datasets(task: Task) -> Sequence[Dataset]:
    """Datasets that versions are ranked on, by name."""
    bound: QuerySet[Binding, Any] = Binding.objects.filter(
        task=task, state=BindingState.APPROVED, dataset__status=DatasetStatus.VERIFIED
    )
    return [binding.dataset for binding in bound.select_related("dataset__file").order_by("dataset__name")]


def with_label(rows: QuerySet[Evaluation], label: str) -> QuerySet[Evaluation]:
    """Rows with the metrics of one label, as `label_f1` and so on; undefined where a result has no such label."""
    if not label:
        return rows
    scores = LabelScore.objects.filter(evaluation=OuterRef("pk"), label=label)
    return rows.annotate(
        **{f"label_{name}": Subquery(scores.values(name)[:1]) for name in ("f1", "precision", "recall")}
    )


def by_metric(field: str, *, descending: bool) -> Any:
    """An ordering in which undefined values come last."""
    return F(field).desc(nulls_last=True) if descending else F(field).asc(nulls_last=True)
