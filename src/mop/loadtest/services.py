"""Writes to load tests that people and the pipeline ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Max

from mop.accounts.quotas import use
from mop.audit.services import Actor
from mop.engine.fence import hold_fence
from mop.engine.job import Job
from mop.errors import ConflictError, QuotaExceededError
from mop.loadtest.advance import LOAD_TEST
from mop.loadtest.area import LOAD_TESTS, RUN
from mop.loadtest.models import LoadTest
from mop.loadtest.planning import RunRequest, option_of, plan_of
from mop.loadtest.quotas import LOAD_TESTS as LOAD_TESTS_QUOTA
from mop.loadtest.quotas import seconds_of
from mop.loadtest.states import LOAD_TEST_LIFECYCLE, LoadTestState
from mop.registry.advance import REVISION
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.serving_options import LoadTestOption

LOAD_TEST_JOB: Job[LoadTest] = Job(
    workflow=RUN.name,
    workflow_id=lambda test: test.workflow_id,
    queue=lambda test: test.queue,
    args=lambda test: (str(test.pk),),
    waiting=LOAD_TEST.waiting,
    release=LOAD_TEST.release,
)


@transaction.atomic
def enable_load_test(*, actor: Actor, revision: Revision, request: RunRequest) -> list[LoadTest]:
    """Start a run: a load test for each modality of the connected tasks. Earlier runs stay.

    Raises:
        ConflictError: the revision is not verified, or gone, or a load test of it waits or runs.
        ValidationFailedError: the run cannot be done as asked.
        QuotaExceededError: the team's load tests may not measure for so long.
    """
    row = REVISION.lock(revision.pk)
    if row.get_status() != RevisionStatus.VERIFIED:
        raise ConflictError(
            f"{row} is {row.status}; only a verified version can be load-tested.",
            hint="Wait until it is verified; what is vulnerable or outdated is not started again.",
        )
    if row.load_tests.filter(state__in=LOAD_TEST_LIFECYCLE.live).exists():
        raise ConflictError(f"A load test of {row} is on its way.", hint="Wait for it, or cancel it first.")
    tests = _new(row, actor=actor, request=request)
    _use(row, tests)
    _begin(tests, actor=actor)
    return tests


def is_wanted_after_onboarding(revision: Revision) -> bool:
    """Whether the revision is verified and its form asks for a load test."""
    return revision.get_status() == RevisionStatus.VERIFIED and revision.load_test_option != LoadTestOption.OFF


@transaction.atomic
def start_after_verified(*, actor: Actor, revision_id: str, attempt: int) -> int:
    """Start the first run of a revision that was just verified, if its form asks for one.

    Returns:
        How many load tests were started; 0 when the attempt did not end in `verified`, or this ran before a crash, or
        the team's load tests may not measure for so long, which they then failed for.

    Raises:
        WorkerLostError: this process is a worker whose work was given to another.
    """
    hold_fence()
    revision = Revision.objects.filter(pk=revision_id, attempt=attempt).first()
    if revision is None or not is_wanted_after_onboarding(revision):
        return 0
    row = REVISION.lock(revision.pk)
    if row.load_tests.exists():
        return 0
    tests = _new(row, actor=actor, request=RunRequest())
    try:
        _use(row, tests)
    except QuotaExceededError as error:
        for test in tests:
            LOAD_TEST.begin(test, actor=actor)
            LOAD_TEST.move(test, LoadTestState.FAILED, actor=actor, error=error)
        return 0
    _begin(tests, actor=actor)
    return len(tests)


@transaction.atomic
def cancel_load_test(*, actor: Actor, revision: Revision) -> None:
    """End the run that waits or runs; steps that ended are kept.

    Raises:
        ConflictError: none does.
    """
    row = REVISION.lock(revision.pk)
    live = list(row.load_tests.filter(state__in=LOAD_TEST_LIFECYCLE.live))
    if not live:
        raise ConflictError(f"No load test of {row} waits or runs; there is nothing to cancel.")
    for test in live:
        LOAD_TEST.advance(test.pk, to=LoadTestState.CANCELLED, actor=actor)
        LOAD_TEST_JOB.stop(test)


def _use(revision: Revision, tests: Sequence[LoadTest]) -> None:
    use(LOAD_TESTS_QUOTA, revision.model.team, sum(seconds_of(test.get_plan()) for test in tests))


def _new(revision: Revision, *, actor: Actor, request: RunRequest) -> list[LoadTest]:
    option = option_of(revision, request)
    plan = plan_of(option, request).to_dict()
    run = (revision.load_tests.aggregate(last=Max("run"))["last"] or 0) + 1
    modalities = revision.model.connections.order_by("task__modality").values_list("task__modality", flat=True)
    return [
        LoadTest(
            revision=revision,
            run=run,
            modality=modality,
            option=option,
            plan=plan,
            queue=LOAD_TESTS.of(revision.instance_type.queue_name),
            created_by_label=actor.label,
        )
        for modality in modalities.distinct()
    ]


def _begin(tests: Iterable[LoadTest], *, actor: Actor) -> None:
    for test in tests:
        LOAD_TEST.begin(test, actor=actor)
        LOAD_TEST_JOB.start(test)
