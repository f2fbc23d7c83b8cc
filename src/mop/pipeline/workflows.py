"""The one workflow of a revision, from created to its end: starts every stage by name, in order, and waits for it."""

from __future__ import annotations

import asyncio

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID
from django.db import transaction
from django.utils import timezone

from mop.audit.services import Actor
from mop.engine.client import APPLICATION_VERSION
from mop.engine.database import in_database
from mop.engine.fence import hold_fence
from mop.engine.wakes import wake
from mop.loadtest.services import start_after_verified
from mop.onboarding.workflows import onboard
from mop.registry.models import Revision, RevisionEvent
from mop.registry.services import begin_attempt
from mop.registry.start import PIPELINE_WORKFLOW, take_turn
from mop.registry.statuses import RevisionStatus

PIPELINE = Actor.system("pipeline")

ARRIVALS = 100_000  # told apart within one turn
TURNS_MAX = 20_000  # the engine's priorities end at 2**31 - 1


@DBOS.workflow(name=PIPELINE_WORKFLOW)
async def run(revision_id: str, attempt: int) -> str:
    """Onboard a revision, again after a while as long as it is `toBeRetried`.

    Returns:
        The status in which the pipeline left the revision.
    """
    workflow_id = f"{revision_id}:{attempt}"
    while True:
        turn = await turn_step(revision_id, attempt)
        if turn is None:
            return "stale"
        queue, priority = turn
        with (
            SetWorkflowID(f"{revision_id}:{attempt}:onboard"),
            SetEnqueueOptions(priority=priority, app_version=APPLICATION_VERSION),
        ):
            handle = await DBOS.enqueue_workflow_async(queue, onboard, revision_id, attempt)
        await asyncio.to_thread(wake, queue)
        status = await handle.get_result()
        if status != RevisionStatus.TO_BE_RETRIED.value:
            # also after `stale`: the watch may end the last step when it has just verified the revision
            await load_test_step(revision_id, attempt)
            return status
        await DBOS.sleep_async(await pause_step(revision_id, attempt))
        attempt += 1
        if not await next_attempt_step(revision_id, attempt, workflow_id):
            return "stale"


@DBOS.step(name="pipeline.turn")
async def turn_step(revision_id: str, attempt: int) -> tuple[str, int] | None:
    """The queue and priority of the attempt; None when it is over."""
    return await in_database(_turn)(revision_id, attempt)


@DBOS.step(name="pipeline.pause")
async def pause_step(revision_id: str, attempt: int) -> float:
    """Seconds until the revision is tried again."""
    return await in_database(_pause)(revision_id, attempt)


@DBOS.step(name="pipeline.next_attempt")
async def next_attempt_step(revision_id: str, attempt: int, workflow_id: str) -> bool:
    """Begin the attempt; False when the revision was moved on by somebody else."""
    return await in_database(_next_attempt)(revision_id, attempt, workflow_id)


@DBOS.step(name="pipeline.load_test")
async def load_test_step(revision_id: str, attempt: int) -> int:
    """Hand the revision on to its load tests if this attempt verified it and its form asks for them.

    They run on their own queue; the pipeline does not wait for them.
    """
    return await in_database(start_after_verified)(actor=PIPELINE, revision_id=revision_id, attempt=attempt)


def _turn(revision_id: str, attempt: int) -> tuple[str, int] | None:
    revision = Revision.objects.filter(pk=revision_id, attempt=attempt).first()
    if revision is None or revision.get_status().is_final:
        return None
    return revision.queue, _place(revision)


def _place(revision: Revision) -> int:
    """The engine's priority: the team's turn first, then the order of arrival.

    Pipelines start side by side, so the order in which they enqueue their stages says nothing; the events' ids do.
    """
    arrival = (
        RevisionEvent.objects.filter(revision=revision, attempt=revision.attempt, status=RevisionStatus.CREATED)
        .values_list("id", flat=True)
        .get()
    )
    return min(revision.priority, TURNS_MAX) * ARRIVALS + arrival % ARRIVALS


def _pause(revision_id: str, attempt: int) -> float:
    revision = Revision.objects.filter(pk=revision_id, attempt=attempt).first()
    if revision is None or revision.retry_at is None:
        return 0.0
    return max((revision.retry_at - timezone.now()).total_seconds(), 0.0)


@transaction.atomic
def _next_attempt(revision_id: str, attempt: int, workflow_id: str) -> bool:
    hold_fence()
    revision = (
        Revision.objects.select_for_update(of=("self",))
        .select_related("model", "model__team", "instance_type")
        .filter(pk=revision_id, workflow_id=workflow_id)  # an owner's own retry has a workflow of its own
        .first()
    )
    if revision is None:
        return False
    if revision.attempt == attempt:  # this step ran before a crash
        return True
    if revision.attempt != attempt - 1 or revision.get_status() != RevisionStatus.TO_BE_RETRIED:
        return False
    begin_attempt(revision, actor=PIPELINE, detail="tried again")
    take_turn(revision)
    revision.save(update_fields=["queue", "priority"])
    return True
