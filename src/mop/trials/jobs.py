"""What the workflow reads and writes of a try, as plain functions for its step."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction

from mop.engine.fence import hold_fence
from mop.engine.watch import Run
from mop.errors import ConflictError, HostLostError, ModelFault, MopError, ServiceFault, StaleAttemptError
from mop.hosting.jobs import RevisionJob, job_of
from mop.hosting.this_host import WORKER
from mop.onboarding.contract import TaskInput
from mop.onboarding.jobs import task_input_of
from mop.registry.statuses import RevisionStatus
from mop.trials.advance import TRIAL
from mop.trials.answers import NOT_TOLD
from mop.trials.models import Trial
from mop.trials.states import TRIAL_LIFECYCLE, TrialState

NOTE_CHARACTERS = 300
AGAIN = "Send the input again."
LATER = "Send the input again when that has ended."


@dataclass(frozen=True)
class TrialJob:
    """One try, detached from the database; its input is not in it."""

    trial_id: uuid.UUID
    revision_job: RevisionJob
    tasks: tuple[TaskInput, ...]


def take(trial_id: str, host: str, public_key: bytes) -> TrialJob:
    """The job of a try, which this host works on from now on; `public_key` is what its input is sealed with.

    Raises:
        StaleAttemptError: it is over, or gone.
        HostLostError: a worker took it before and ended: nobody can open its input any more.
        ConflictError: its revision is not verified any more.
        WorkerLostError: this worker's work was given to another.
    """
    trial = TRIAL.claim(Run(trial_id), host=host)
    if trial.get_state() == TrialState.RUNNING:
        raise HostLostError("The worker ended while it worked on the try.", hint=AGAIN)
    revision = trial.revision
    if revision.get_status() != RevisionStatus.VERIFIED:
        raise ConflictError(f"{revision} is {revision.status} by now; only a verified version can be tried.")
    TRIAL.advance(trial.pk, to=TrialState.RUNNING, actor=WORKER, facts={"public_key": public_key})
    connections = revision.model.connections.select_related("task__taxonomy")
    return TrialJob(
        trial_id=trial.pk,
        revision_job=job_of(revision, name=f"try-{trial.pk}", owner=str(trial)),
        tasks=tuple(task_input_of(connection.task, connection.customized_name) for connection in connections),
    )


def take_input(trial_id: uuid.UUID) -> bytes | None:
    """The sealed input of a try, and no trace of it is left; None while it did not arrive.

    Raises:
        StaleAttemptError: the try is over.
    """
    with transaction.atomic():
        hold_fence()
        trial = Trial.objects.select_for_update().filter(pk=trial_id, state=TrialState.RUNNING).first()
        if trial is None:
            raise StaleAttemptError(f"try {trial_id} is over")
        if trial.sealed_input is None:
            return None
        sealed = bytes(trial.sealed_input)
        trial.sealed_input = None
        trial.save(update_fields=["sealed_input"])
    return sealed


def say(trial_id: uuid.UUID, note: str) -> None:
    """Tell the person who waits what happens."""
    with transaction.atomic():
        hold_fence()
        Trial.objects.filter(pk=trial_id, state__in=TRIAL_LIFECYCLE.live).update(note=note[:NOTE_CHARACTERS])


def too_late(trial_id: uuid.UUID, seconds: float) -> HostLostError:
    """The end of a try that was not answered in time; it says what the try did, or waited for, until then."""
    note = Trial.objects.filter(pk=trial_id).values_list("note", flat=True).first()
    message = f"The try was not answered within {seconds:.0f} s."
    if not note:
        return HostLostError(message, hint=AGAIN)
    hint = LATER if note.startswith("waits") else AGAIN
    return HostLostError(f"{message} Until then: {note}.", hint=hint)


def answer(trial_id: uuid.UUID, sealed: bytes) -> None:
    """The try is answered.

    Raises:
        StaleAttemptError: it was ended or deleted meanwhile.
    """
    TRIAL.advance(trial_id, to=TrialState.ANSWERED, actor=WORKER, facts={"sealed_answer": sealed})


def conclude(trial_id: str, error: MopError) -> TrialState:
    """Write why a try was not answered, by the error's name alone where the model chose its words.

    Raises:
        StaleAttemptError: it was ended or deleted meanwhile.
    """
    if isinstance(error, ModelFault | ServiceFault):
        TRIAL.advance(trial_id, to=TrialState.FAILED, actor=WORKER, error=type(error)(NOT_TOLD))
        return TrialState.FAILED
    TRIAL.advance(trial_id, to=TrialState.UNDECIDED, actor=WORKER, error=error)
    return TrialState.UNDECIDED
