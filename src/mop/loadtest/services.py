"""Writes to load tests that people and the pipeline ask for."""

from __future__ import annotations

import functools

from django.db import transaction
from django.db.models import Max

from mop.audit.services import Actor
from mop.engine import client
from mop.engine.fence import hold_fence
from mop.engine.names import load_test_queue
from mop.errors import ConflictError
from mop.loadtest.advance import advance_test, tell
from mop.loadtest.models import LoadTest
from mop.loadtest.requests import RunRequest, option_of, plan_of
from mop.loadtest.states import LIVE, LoadTestState
from mop.registry.advance import locked_revision
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from mop.serving_options import LoadTestOption

LOAD_TEST_WORKFLOW = "loadtest.run"


@transaction.atomic
def enable_load_test(*, actor: Actor, revision: Revision, request: RunRequest) -> list[LoadTest]:
    """Start a run: a load test for each modality of the connected tasks. Earlier runs stay.

    Raises:
        ConflictError: the revision is not verified, or gone, or a load test of it waits or runs.
        ValidationFailedError: the run can not be done as asked.
    """
    row = locked_revision(revision.pk)
    if row.get_status() != RevisionStatus.VERIFIED:
        raise ConflictError(
            f"{row} is {row.status}; only a verified revision can be load-tested.",
            mend="Wait until it is verified; what is vulnerable or outdated is not started again.",
        )
    if row.load_tests.filter(state__in=LIVE).exists():
        raise ConflictError(f"A load test of {row} is on its way.", mend="Wait for it, or cancel it first.")
    return _begin(row, actor=actor, request=request)


@transaction.atomic
def start_after_verified(*, actor: Actor, revision_id: str, attempt: int) -> int:
    """Start the first run of a revision that was just verified, if its form asks for one.

    Returns:
        How many load tests were started; 0 when the attempt did not end in `verified`, or this ran before a crash.

    Raises:
        WorkerLostError: this process is a worker whose work was given to another.
    """
    hold_fence()
    revision = Revision.objects.filter(pk=revision_id, attempt=attempt, status=RevisionStatus.VERIFIED).first()
    if revision is None or revision.load_test_option == LoadTestOption.OFF:
        return 0
    row = locked_revision(revision.pk)
    if row.load_tests.exists():
        return 0
    return len(_begin(row, actor=actor, request=RunRequest()))


@transaction.atomic
def cancel_load_test(*, actor: Actor, revision: Revision) -> None:
    """End the run that waits or runs; steps that ended are kept.

    Raises:
        ConflictError: none does.
    """
    row = locked_revision(revision.pk)
    live = list(row.load_tests.filter(state__in=LIVE))
    if not live:
        raise ConflictError(f"No load test of {row} waits or runs; there is nothing to cancel.")
    for test in live:
        advance_test(test_id=test.pk, to=LoadTestState.CANCELLED, actor=actor)
        transaction.on_commit(functools.partial(client.cancel, test.workflow_id))


def enqueue_load_test(test: LoadTest) -> None:
    """Enqueue a load test's work; doing it twice is harmless."""
    client.enqueue(workflow=LOAD_TEST_WORKFLOW, queue=test.queue, workflow_id=test.workflow_id, args=(str(test.pk),))


def _begin(revision: Revision, *, actor: Actor, request: RunRequest) -> list[LoadTest]:
    option = option_of(revision, request)
    plan = plan_of(option, request).to_dict()
    run = (revision.load_tests.aggregate(last=Max("run"))["last"] or 0) + 1
    modalities = revision.model.connections.order_by("task__modality").values_list("task__modality", flat=True)
    tests = [
        LoadTest.objects.create(
            revision=revision,
            run=run,
            modality=modality,
            option=option,
            plan=plan,
            queue=load_test_queue(revision.instance_type.queue_name),
            created_by_label=actor.label,
        )
        for modality in modalities.distinct()
    ]
    for test in tests:
        tell(test, actor=actor, before=None)
        transaction.on_commit(functools.partial(enqueue_load_test, test))
    return tests
