"""Changing an evaluation's state."""

from __future__ import annotations

from mop.audit.transitions import Change, Entity
from mop.evaluation.actions import Action
from mop.evaluation.models import Evaluation
from mop.evaluation.notices import notify_end
from mop.evaluation.states import EVALUATION_LIFECYCLE, EvaluationState


def _set_fields(change: Change[Evaluation, EvaluationState]) -> None:
    evaluation = change.row
    if change.to == EvaluationState.QUEUED:
        evaluation.queued_at, evaluation.ends_about = change.at, None
        if change.before != EvaluationState.RUNNING:  # another run begins; else the same one is tried again
            evaluation.started_at, evaluation.ended_at = None, None
            evaluation.tries, evaluation.retry_at, evaluation.failed_at = 1, None, []
            evaluation.progress, evaluation.note = 0, ""
            evaluation.error_counts, evaluation.failed_rows = {}, {}
    elif change.to == EvaluationState.RUNNING:
        evaluation.started_at = evaluation.started_at or change.at
        evaluation.retry_at, evaluation.note = None, ""
    elif change.to.is_final:
        evaluation.ended_at = change.at
        evaluation.ends_about, evaluation.note = None, ""


def _tell(change: Change[Evaluation, EvaluationState]) -> None:
    if change.to.is_final:  # what a run kept for its own resumption; a finished one has one artifact of it all
        change.row.chunks.all().delete()
    notify_end(change.row, actor=change.actor, error=change.error)


EVALUATION = Entity(
    model=Evaluation,
    lifecycle=EVALUATION_LIFECYCLE,
    name="evaluation",
    object_type="evaluation",
    action=Action.STATE,
    field="state",
    related=("revision__model", "revision__instance_type", "dataset__file", "dataset__reading", "task__taxonomy"),
    since="queued_at",
    set_fields=_set_fields,
    tell=_tell,
    audit_data=lambda evaluation: {
        "revision": str(evaluation.revision_id),
        "dataset": evaluation.dataset_id,
        "task": evaluation.task_id,
    },
)
