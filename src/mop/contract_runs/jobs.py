"""What the workflow reads and writes of a contract run, as plain functions for its steps."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from mop.contract_runs.advance import CONTRACT_RUN
from mop.contract_runs.models import ContractRun
from mop.contract_runs.states import CONTRACT_RUN_LIFECYCLE, ContractRunState
from mop.engine.fence import hold_fence
from mop.engine.watch import Run
from mop.errors import BlockingFindingsError, ConflictError, ModelFault, MopError
from mop.hosting.jobs import RevisionJob, job_of
from mop.hosting.this_host import WORKER
from mop.onboarding.contract import TaskInput
from mop.onboarding.jobs import task_input_of
from mop.registry.statuses import RevisionStatus

NOTE_CHARACTERS = 300


@dataclass(frozen=True)
class ContractRunJob:
    """One contract run, detached from the database.

    Attributes:
        run_id: of its row.
        revision_job: how the revision's service is started.
        tasks: the task to prove; none for a sample.
        sample: the sample to prove; None for none.
    """

    run_id: uuid.UUID
    revision_job: RevisionJob
    tasks: tuple[TaskInput, ...]
    sample: Any


def read_job(run_id: str, host: str) -> ContractRunJob:
    """The job of a contract run, which this host works on from now on.

    Raises:
        StaleAttemptError: it is over, or gone.
        ConflictError: its revision is not verified any more.
        WorkerLostError: this worker's work was given to another.
    """
    run = CONTRACT_RUN.claim(Run(run_id), host=host)
    revision = run.revision
    if revision.get_status() != RevisionStatus.VERIFIED:
        raise ConflictError(
            f"{revision} is {revision.status} by now; only a verified version is run again.",
            hint="See the version's Details for the reason.",
        )
    return ContractRunJob(
        run_id=run.pk,
        revision_job=job_of(revision, name=f"contract-run-{run.pk}", owner=str(run)),
        tasks=(task_input_of(run.task, run.customized_name),) if run.task else (),
        sample=run.sample,
    )


def begin(run_id: uuid.UUID) -> None:
    """The run has a host."""
    CONTRACT_RUN.advance(run_id, to=ContractRunState.RUNNING, actor=WORKER)


def say(run_id: uuid.UUID, note: str) -> None:
    """Tell those who look what the run waits for."""
    with transaction.atomic():
        hold_fence()
        ContractRun.objects.filter(pk=run_id, state__in=CONTRACT_RUN_LIFECYCLE.live).update(note=note[:NOTE_CHARACTERS])


def accept(run_id: str, warnings: list[str]) -> ContractRunState:
    """The version answered by contract: the task is proved, or the sample is the version's from now on.

    Raises:
        StaleAttemptError: the run was cancelled or deleted meanwhile.
    """
    CONTRACT_RUN.advance(run_id, to=ContractRunState.PASSED, actor=WORKER, facts={"warnings": warnings})
    return ContractRunState.PASSED


def refuse(run_id: str, error: MopError) -> ContractRunState:
    """The version broke a rule, or a cause outside it kept the run from deciding.

    Raises:
        StaleAttemptError: the run was cancelled or deleted meanwhile.
    """
    is_of_the_model = isinstance(error, ModelFault) and not isinstance(error, BlockingFindingsError)
    to = ContractRunState.FAILED if is_of_the_model else ContractRunState.UNDECIDED
    CONTRACT_RUN.advance(run_id, to=to, actor=WORKER, error=error)
    return to
