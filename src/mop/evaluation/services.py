"""Writes to evaluations: what MOP starts by itself, and what people ask for."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from mop.audit.services import Actor, record
from mop.engine.job import Job
from mop.errors import ConflictError, MopError
from mop.evaluation.actions import Action
from mop.evaluation.advance import EVALUATION
from mop.evaluation.area import EVALUATIONS, RUN
from mop.evaluation.budget import check_budget
from mop.evaluation.models import Evaluation
from mop.evaluation.states import EvaluationState
from mop.evaluation.turns import priority_of
from mop.evaluation.wanted import (
    applicable_again,
    changed,
    is_applicable,
    missing,
    no_longer_applicable,
    not_applicable,
    to_recount,
)
from mop.registry.advance import REVISION
from mop.registry.models import Revision
from mop.registry.statuses import PublishStatus, RevisionStatus

SCHEDULER = Actor.system("evaluation")


def _waiting(before: dt.datetime) -> QuerySet[Evaluation]:
    """Those whose enqueue may have been lost, and those whose pause after a cause outside the model is over."""
    return EVALUATION.waiting(before).filter(Q(retry_at=None) | Q(retry_at__lte=timezone.now()))


EVALUATION_JOB: Job[Evaluation] = Job(
    workflow=RUN.name,
    workflow_id=lambda evaluation: evaluation.workflow_id,
    queue=lambda evaluation: evaluation.queue,
    args=lambda evaluation: (str(evaluation.pk), evaluation.attempt, evaluation.tries),
    waiting=_waiting,
    release=EVALUATION.release,
    priority=lambda evaluation: evaluation.priority,
)


def keep_up() -> None:
    """Start every evaluation that is missing, end those that cannot be run any more. Called again and again.

    What ended so begins again once it can be run: a task was connected again, a dataset approved again.
    """
    for evaluation in no_longer_applicable():
        with transaction.atomic():
            row = EVALUATION.lock(evaluation.pk)
            if row.get_state().is_live and not is_applicable(row):
                _cancel(row, SCHEDULER, error=not_applicable(row))
    for evaluation in applicable_again():
        with transaction.atomic():
            row = EVALUATION.lock(evaluation.pk)
            if row.error == evaluation.error and row.get_state().is_final:
                _restart(row, actor=SCHEDULER, is_recount=row.is_recount, detail="possible again")
    start_missing(actor=SCHEDULER)


def renew_stale() -> None:
    """Run again what changed since it was measured; count again what other metric code counted."""
    for evaluation in changed():
        with transaction.atomic():
            row = EVALUATION.lock(evaluation.pk)
            if row.get_state() == EvaluationState.FINISHED:
                row.is_stale = True
                _record(SCHEDULER, Action.STALE, row)
                _restart(row, actor=SCHEDULER, is_recount=False, detail="stale")
    for evaluation in to_recount():
        with transaction.atomic():
            row = EVALUATION.lock(evaluation.pk)
            if row.get_state() == EvaluationState.FINISHED:
                _restart(row, actor=SCHEDULER, is_recount=True, detail="metric code changed")


def start_missing(*, actor: Actor, revision: Revision | None = None) -> int:
    """Start the evaluations of a revision, or of all, that do not exist; done twice it starts nothing more.

    Returns:
        How many were started.
    """
    count = 0
    for wanted in missing(revision):
        with transaction.atomic():
            row = REVISION.lock(wanted.revision_id)
            key = {"dataset_id": wanted.dataset_id, "task_id": wanted.task_id}
            if row.get_status() != RevisionStatus.VERIFIED or row.evaluations.filter(**key).exists():
                continue
            evaluation = Evaluation(revision=row, created_by_label=actor.label, **key)
            _set_turn(evaluation)
            EVALUATION.begin(evaluation, actor=actor)
            EVALUATION_JOB.start(evaluation)
            count += 1
    return count


def is_wanted(revision: Revision) -> bool:
    """Whether a verified revision has evaluations to be made."""
    return revision.get_status() == RevisionStatus.VERIFIED and bool(missing(revision))


@transaction.atomic
def rerun(*, actor: Actor, evaluation: Evaluation) -> Evaluation:
    """Run an evaluation again: every row is asked anew. The result that stands stays until the run ends well.

    Raises:
        ConflictError: it waits or runs.
        RunNotPossibleError: it cannot be run as things stand.
        EvaluationBudgetError: no budget is left.
    """
    row = EVALUATION.lock(evaluation.pk)
    if row.get_state().is_live:
        raise ConflictError(f"The {row} is {row.state} already.", hint="Wait for it, or cancel it first.")
    if not is_applicable(row):
        raise not_applicable(row)
    check_budget(row.revision, row.dataset)
    row.created_by_label = actor.label
    _restart(row, actor=actor, is_recount=False, detail=f"run again by {actor.label}")
    return row


@transaction.atomic
def cancel(*, actor: Actor, evaluation: Evaluation) -> Evaluation:
    """End an evaluation that waits or runs; a result that stands stays.

    Raises:
        ConflictError: it ended already.
    """
    row = EVALUATION.lock(evaluation.pk)
    if not row.get_state().is_live:
        raise ConflictError(f"The {row} is {row.state}; there is nothing to cancel.")
    _cancel(row, actor)
    return row


@transaction.atomic
def publish(*, actor: Actor, evaluation: Evaluation) -> Evaluation:
    """Show the single result of a private version on the pages of task and dataset.

    Raises:
        ConflictError: there is no result, it is shown already, or the version is public.
    """
    row = EVALUATION.lock(evaluation.pk)
    if not row.is_measured:
        raise ConflictError(f"The {row} has no result yet.", hint="Wait until it is finished.")
    if row.revision.publish_status == PublishStatus.PUBLIC:
        raise ConflictError(f"{row.revision} is public, and so are its results.")
    if row.is_published:
        raise ConflictError("The result is published already.")
    row.published_at, row.published_by_label = timezone.now(), actor.label
    row.save(update_fields=["published_at", "published_by_label"])
    _record(actor, Action.PUBLISHED, row)
    return row


@transaction.atomic
def withdraw(*, actor: Actor, evaluation: Evaluation) -> Evaluation:
    """Show a published single result no longer.

    Raises:
        ConflictError: it is not published.
    """
    row = EVALUATION.lock(evaluation.pk)
    if not row.is_published:
        raise ConflictError("The result is not published.")
    row.published_at, row.published_by_label = None, ""
    row.save(update_fields=["published_at", "published_by_label"])
    _record(actor, Action.WITHDRAWN, row)
    return row


def _restart(row: Evaluation, *, actor: Actor, is_recount: bool, detail: str) -> None:
    row.is_recount = is_recount
    _set_turn(row)
    EVALUATION.restart(row, actor=actor, detail=detail)
    EVALUATION_JOB.start(row)


def _set_turn(evaluation: Evaluation) -> None:
    evaluation.queue = EVALUATIONS.of(evaluation.revision.instance_type.queue_name)
    evaluation.priority = priority_of(evaluation.revision)


def _cancel(row: Evaluation, actor: Actor, error: MopError | None = None) -> None:
    EVALUATION.move(row, EvaluationState.CANCELLED, actor=actor, error=error)
    EVALUATION_JOB.stop(row)


def _record(actor: Actor, action: Action, row: Evaluation) -> None:
    record(
        actor=actor,
        action=action,
        object_type="evaluation",
        object_id=row.pk,
        object_label=str(row),
        data={"revision": str(row.revision_id), "dataset": row.dataset_id, "task": row.task_id},
    )
