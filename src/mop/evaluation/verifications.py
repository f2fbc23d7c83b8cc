"""Verifications as durable work: asking for one, its run, its report."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from mop.audit.services import Actor
from mop.audit.transitions import Change, Entity
from mop.engine.job import Job
from mop.errors import ConflictError, MopError, NotFoundError, OutsideFault
from mop.evaluation.actions import Action
from mop.evaluation.advance import EVALUATION
from mop.evaluation.area import EVALUATIONS, VERIFY
from mop.evaluation.checks import Check
from mop.evaluation.models import Evaluation
from mop.evaluation.verification_models import EvaluationVerification
from mop.evaluation.verification_states import VERIFICATION_LIFECYCLE, VerificationState
from mop.hosting.this_host import WORKER

AGAIN = "Ask for the verification again; if it fails again, tell the operator."


def _set_fields(change: Change[EvaluationVerification, VerificationState]) -> None:
    if change.to.is_final:
        change.row.ended_at = change.at


VERIFICATION = Entity(
    model=EvaluationVerification,
    lifecycle=VERIFICATION_LIFECYCLE,
    name="verification",
    object_type="verification",
    action=Action.VERIFICATION_STATE,
    field="state",
    related=("evaluation__revision__model", "evaluation__dataset", "evaluation__task"),
    set_fields=_set_fields,
    audit_data=lambda row: {"evaluation": str(row.evaluation_id)},
)

VERIFICATION_JOB: Job[EvaluationVerification] = Job(
    workflow=VERIFY.name,
    workflow_id=lambda row: row.workflow_id,
    queue=lambda row: row.queue,
    args=lambda row: (str(row.pk),),
    waiting=VERIFICATION.waiting,
    release=VERIFICATION.release,
)


@transaction.atomic
def verify(*, actor: Actor, evaluation: Evaluation, again: int) -> EvaluationVerification:
    """Start the verification of a result.

    Args:
        actor: who asks for it.
        evaluation: that has a result.
        again: how many random rows are inferred again; 0 starts no service.

    Raises:
        ConflictError: there is no result, or a verification of it waits or runs.
    """
    row = EVALUATION.lock(evaluation.pk)
    if not row.predictions_digest:
        raise ConflictError(f"The {row} has no kept predictions.", hint="Wait until it is finished.")
    if row.verifications.filter(ended_at=None).exists():
        raise ConflictError(f"A verification of the {row} is on its way.", hint="Wait for its report.")
    made = EvaluationVerification(
        evaluation=row,
        queue=EVALUATIONS.of(row.revision.instance_type.queue_name),
        again=again,
        predictions_digest=row.predictions_digest,
        created_by_label=actor.label,
    )
    VERIFICATION.begin(made, actor=actor)
    VERIFICATION_JOB.start(made)
    return made


def newest_verification(evaluation: Evaluation) -> EvaluationVerification:
    """The one that was asked for last.

    Raises:
        NotFoundError: none was.
    """
    found = evaluation.verifications.first()
    if found is None:
        raise NotFoundError(f"The {evaluation} was not verified.", hint="An administrator can ask for it.")
    return found


def begin(verification_id: str) -> tuple[Evaluation, int]:
    """What is verified, and how many rows are inferred again.

    Raises:
        StaleAttemptError: it is over, or gone.
        ConflictError: the result is another by now.
        WorkerLostError: this worker's work was given to another.
    """
    with transaction.atomic():
        row = VERIFICATION.lock(verification_id)
        VERIFICATION.move(row, VerificationState.RUNNING, actor=WORKER)
    evaluation = Evaluation.objects.select_related(
        "revision__model__team",
        "revision__instance_type",
        "dataset__file",
        "dataset__reading",
        "task__taxonomy",
        "result",
    ).get(pk=row.evaluation_id)
    if evaluation.predictions_digest != row.predictions_digest:
        raise ConflictError("The result is another by now.", hint="Ask for the verification again.")
    return evaluation, row.again


def finish(verification_id: str, checks: Sequence[Check]) -> None:
    """Keep the report.

    Raises:
        StaleAttemptError: it is gone.
        WorkerLostError: this worker's work was given to another.
    """
    VERIFICATION.advance(
        verification_id,
        to=VerificationState.FINISHED,
        actor=WORKER,
        facts={"checks": [dataclasses.asdict(one) for one in checks], "holds": all(one.holds for one in checks)},
    )


def conclude(verification_id: str, error: MopError) -> str:
    """Write why it could not be done.

    Raises:
        StaleAttemptError: it is gone.
    """
    if isinstance(error, OutsideFault):
        error = type(error)(error.message, hint=AGAIN, place=error.place, also=error.also)
    VERIFICATION.advance(verification_id, to=VerificationState.FAILED, actor=WORKER, error=error)
    return VerificationState.FAILED.value


def report_of_checks(row: EvaluationVerification) -> tuple[Check, ...]:
    """Every number of the report."""
    found: list[dict[str, Any]] = row.checks
    return tuple(Check(**one) for one in found)
