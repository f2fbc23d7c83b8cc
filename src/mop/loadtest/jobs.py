"""What the workflow reads and writes of a load test, as plain functions for its step."""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from mop import failpoints
from mop.engine.fence import hold_fence
from mop.engine.watch import Run
from mop.errors import ConflictError, MopError, OutsideFault, StaleAttemptError
from mop.hosting.jobs import RevisionJob, job_of
from mop.hosting.this_host import WORKER
from mop.loadtest.advance import LOAD_TEST
from mop.loadtest.conditions import Asked, Conditions
from mop.loadtest.models import LoadTest, LoadTestStep
from mop.loadtest.plan import Plan
from mop.loadtest.results import Progress, StepResult
from mop.loadtest.stage import PIPELINE
from mop.loadtest.states import LOAD_TEST_LIFECYCLE, LoadTestState
from mop.registry.models import Revision
from mop.registry.statuses import REVISION_LIFECYCLE, RevisionStatus

NOTE_CHARACTERS = 300
ENABLE_AGAIN = "Enable the load test again; if it fails again, tell the operator."


@dataclass(frozen=True)
class LoadTestJob:
    """One load test, detached from the database.

    Attributes:
        job: how the revision's service is started.
        known: conditions that stand before anything runs.
        gives_way: to revisions that wait for verification, between its steps.
    """

    test_id: uuid.UUID
    modality: str
    plan: Plan
    revision_job: RevisionJob
    known: Asked
    gives_way: bool


@dataclass(frozen=True)
class Done:
    """What was measured so far: the steps in their order, and the seconds of the budget that they took."""

    steps: tuple[StepResult, ...]
    seconds: float


def read_job(test_id: str, host: str) -> LoadTestJob:
    """The job of a load test, which this host works on from now on.

    Raises:
        StaleAttemptError: it is over, or gone.
        ConflictError: its revision is not verified any more.
        WorkerLostError: this worker's work was given to another.
    """
    test = LOAD_TEST.claim(Run(test_id), host=host)
    revision = test.revision
    refuse_unverified(revision)
    plan = test.get_plan()
    return LoadTestJob(
        test_id=test.pk,
        modality=test.modality,
        plan=plan,
        revision_job=job_of(revision, name=f"load-test-{test.pk}", owner=f"load test of {revision}"),
        known=Asked(
            configuration=revision.configuration(),
            asked_cpus=revision.instance_type.vcpus,
            asked_memory_bytes=revision.instance_type.memory_bytes,
            artifact_digest=revision.artifact_digest,
            seed=plan.seed,
            host=host,
        ),
        gives_way=settings.MOP_LOAD_TEST_DEFERRED and test.created_by_label == PIPELINE.label,
    )


def refuse_unverified(revision: Revision) -> None:
    """A revision that became vulnerable or outdated is not started, nor measured further.

    Raises:
        ConflictError: it is not verified.
    """
    if revision.get_status() != RevisionStatus.VERIFIED:
        raise ConflictError(
            f"{revision} is {revision.status} by now; only a verified version is load-tested.",
            hint="See the Details of the version for the reason.",
        )


def verification_waits(revision_id: uuid.UUID, host: str) -> bool:
    """Whether a revision that this host may verify is not decided yet; one that waits for its next try is no reason."""
    waiting = Revision.objects.filter(
        status__in=REVISION_LIFECYCLE.live - {RevisionStatus.TO_BE_RETRIED}, host__in=("", host)
    )
    if not settings.MOP_SINGLE_HOST:  # other hosts take the other instance types
        own = Revision.objects.filter(pk=revision_id)
        waiting = waiting.filter(instance_type__in=own.values("instance_type"))
    return waiting.exists()


def begin(test_id: uuid.UUID) -> None:
    """The test has the host to itself."""
    LOAD_TEST.advance(test_id, to=LoadTestState.RUNNING, actor=WORKER)


def store_conditions(test_id: uuid.UUID, conditions: Conditions) -> None:
    """The service is ready; all conditions of the measurement are known."""
    LOAD_TEST.advance(test_id, to=LoadTestState.RUNNING, actor=WORKER, facts={"conditions": conditions.to_dict()})


def read_done(test_id: uuid.UUID) -> Done:
    """The steps that were measured so far, also before a crash.

    Raises:
        ConflictError: the revision is not verified any more.
    """
    refuse_unverified(Revision.objects.select_related("model").get(load_tests=test_id))
    rows = list(LoadTestStep.objects.filter(test=test_id).order_by("target"))
    return Done(tuple(row.measured for row in rows), sum(row.seconds for row in rows))


def store_step(test_id: uuid.UUID, result: StepResult, seconds: float) -> None:
    """Keep a step that ended; one that was repeated after a crash takes the place of what stands.

    Raises:
        StaleAttemptError: the load test is over.
        WorkerLostError: this worker's work was given to another.
    """
    with transaction.atomic():
        hold_fence()
        test = LoadTest.objects.select_for_update().filter(pk=test_id, state=LoadTestState.RUNNING).first()
        if test is None:
            raise StaleAttemptError(f"load test {test_id} is over")
        LoadTestStep.objects.update_or_create(
            test=test, target=result.target, defaults={"result": result.to_dict(), "seconds": seconds}
        )
        failpoints.hit("before load test step")
        transaction.on_commit(functools.partial(failpoints.hit, "after load test step"))


def store_progress(test_id: uuid.UUID, progress: Progress | None, note: str) -> None:
    """How the step that runs stands, for those who look."""
    with transaction.atomic():
        hold_fence()
        LoadTest.objects.filter(pk=test_id, state__in=LOAD_TEST_LIFECYCLE.live).update(
            progress=progress.to_dict() if progress else None, note=note[:NOTE_CHARACTERS]
        )


def conclude(test_id: str, *, ended: str = "", error: MopError | None = None) -> LoadTestState:
    """Write how a load test ended.

    Raises:
        StaleAttemptError: it was cancelled or deleted meanwhile.
    """
    if isinstance(error, OutsideFault):
        error = type(error)(error.message, hint=ENABLE_AGAIN, place=error.place, also=error.also)
    to = LoadTestState.FAILED if error else LoadTestState.FINISHED
    LOAD_TEST.advance(test_id, to=to, actor=WORKER, error=error, facts={"ended": ended})
    return to
