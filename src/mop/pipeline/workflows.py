"""The one workflow of a revision, from created to its end: starts the stages that areas registered, in order."""

from __future__ import annotations

import asyncio

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID
from django.db import transaction
from django.utils import timezone

from mop.areas.work import Stage
from mop.audit.services import Actor
from mop.engine.client import APPLICATION_VERSION
from mop.engine.database import in_database
from mop.engine.fence import hold_fence
from mop.engine.wakes import wake
from mop.pipeline.stages import begin_stage, stages
from mop.registry.models import Revision
from mop.registry.names import PIPELINE_WORKFLOW
from mop.registry.services import begin_attempt
from mop.registry.start import take_turn
from mop.registry.statuses import RevisionStatus

PIPELINE = Actor.system("pipeline")
STALE = "stale"


@DBOS.workflow(name=PIPELINE_WORKFLOW)
async def run(revision_id: str, attempt: int) -> str:
    """Lead a revision through the stages, again after a while as long as it is `toBeRetried`.

    Returns:
        The status in which the pipeline left the revision.
    """
    workflow_id = f"{revision_id}:{attempt}"
    while True:
        status = await _run_stages(revision_id, attempt)
        if status != RevisionStatus.TO_BE_RETRIED.value:
            return status
        await DBOS.sleep_async(await pause_step(revision_id, attempt))
        attempt += 1
        if not await next_attempt_step(revision_id, attempt, workflow_id):
            return STALE


async def _run_stages(revision_id: str, attempt: int) -> str:
    """Start the stages of an attempt in their order, each once the one before it is over.

    A stage decides by itself whether it applies, also after one that ended as `stale`: the watch may end the last
    step of onboarding when that has just verified the revision.

    Returns:
        The status in which the last stage that was waited for left the revision; `stale` when there was none.
    """
    status = STALE
    for stage in stages():
        turn = await DBOS.run_step_async({"name": stage.step}, _begin, stage, revision_id, attempt)
        if turn is None or stage.workflow is None:
            continue
        queue, priority = turn
        with (
            SetWorkflowID(f"{revision_id}:{attempt}:{stage.name}"),
            SetEnqueueOptions(priority=priority, app_version=APPLICATION_VERSION),
        ):
            handle = await DBOS.enqueue_workflow_async(queue, stage.workflow.function.load(), revision_id, attempt)
        await asyncio.to_thread(wake, queue)
        status = await handle.get_result()
        if status == RevisionStatus.TO_BE_RETRIED.value:
            break
    return status


async def _begin(stage: Stage, revision_id: str, attempt: int) -> tuple[str, int] | None:
    return await in_database(begin_stage)(stage, revision_id, attempt)


@DBOS.step(name="pipeline.pause")
async def pause_step(revision_id: str, attempt: int) -> float:
    """Seconds until the revision is tried again."""
    return await in_database(_pause)(revision_id, attempt)


@DBOS.step(name="pipeline.next_attempt")
async def next_attempt_step(revision_id: str, attempt: int, workflow_id: str) -> bool:
    """Begin the attempt; False when the revision was moved on by somebody else."""
    return await in_database(_next_attempt)(revision_id, attempt, workflow_id)


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
