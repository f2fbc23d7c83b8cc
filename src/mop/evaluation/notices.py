"""What people are told of evaluations. A private version has no name to the owners of a dataset."""

from __future__ import annotations

from typing import TypeGuard

from django.urls import reverse

from mop.audit.services import Actor
from mop.datasets.models import Dataset
from mop.datasets.notices import DATASET_SCOPE
from mop.errors import ConflictError, MopError
from mop.evaluation.kinds import Kind
from mop.evaluation.models import Evaluation
from mop.evaluation.states import EvaluationState
from mop.notifications.scopes import Scope
from mop.notifications.services import News, forget_named, notify
from mop.registry.notices import MODEL_SCOPE, public_event
from mop.registry.statuses import PublishStatus


def is_news(error: MopError | None) -> TypeGuard[MopError]:
    """Whether people are told that a run failed; not when it only came too late.

    A version that became vulnerable, or a task that was disconnected, while the run waited: that was told by itself.
    """
    return error is not None and not isinstance(error, ConflictError)


def notify_end(evaluation: Evaluation, *, actor: Actor, error: MopError | None) -> None:
    """Tell how an evaluation ended; of a cancelled one its owners know. Call it in the transaction that ends it."""
    state = evaluation.get_state()
    if state == EvaluationState.FINISHED:
        _tell_owners(evaluation, actor, Kind.FINISHED, f"was evaluated on {evaluation.dataset}", _number(evaluation))
        if not evaluation.is_recount:
            _tell_dataset_owners(evaluation, actor)
    elif state in {EvaluationState.FAILED, EvaluationState.MAPPING_ERROR} and is_news(error):
        ending = f"could not be evaluated on {evaluation.dataset}"
        _tell_owners(evaluation, actor, Kind.FAILED, ending, error.message, error.hint)


def _tell_owners(evaluation: Evaluation, actor: Actor, kind: Kind, ending: str, reason: str, hint: str = "") -> None:
    revision = evaluation.revision
    notify(
        actor=actor,
        people=revision.model.owners.order_by("pk"),
        news=News(
            kind=kind,
            event=_event(evaluation),
            title=f"{revision} {ending}",
            reason=reason,
            hint=hint,
            link=reverse("registry:revision", args=(revision.model.name, revision.version)),
            scope=Scope(MODEL_SCOPE, revision.model_id),
        ),
    )


def _tell_dataset_owners(evaluation: Evaluation, actor: Actor) -> None:
    revision, dataset = evaluation.revision, evaluation.dataset
    is_public = revision.publish_status == PublishStatus.PUBLIC
    notify(
        actor=actor,
        people=dataset.owners.order_by("pk"),
        news=News(
            kind=Kind.DATASET_MEASURED,
            event=public_event(revision, evaluation.run_name) if is_public else f"{_event(evaluation)}:dataset",
            title=f"{revision if is_public else 'A private version'} was evaluated on {dataset}",
            reason=_number(evaluation) if is_public else f"Task {evaluation.task}. Its owners see the result.",
            link=reverse("datasets:dataset", args=[dataset.name]),
            scope=Scope(DATASET_SCOPE, dataset.pk),
        ),
    )


def forget_results(dataset: Dataset) -> None:
    """Remove what was told of results on a dataset that is deleted: the results go with it."""
    rows = Evaluation.objects.filter(dataset=dataset).only("revision_id", "attempt")
    forget_named([_event(row, attempt) for row in rows for attempt in range(1, row.attempt + 1)])


def _event(evaluation: Evaluation, attempt: int | None = None) -> str:
    """The event of a run's notifications: they go with the version. Without `attempt`: of the run that stands."""
    return f"revision:{evaluation.revision_id}:evaluation:{evaluation.pk}:{attempt or evaluation.attempt}"


def _number(evaluation: Evaluation) -> str:
    shown = "undefined" if evaluation.headline is None else f"{evaluation.headline:.4f}"
    return f"Task {evaluation.task}: headline metric {shown} over {evaluation.rows or 0:,} rows."
