"""Handing a revision to the pipeline, which stands above and is reached by name only."""

from __future__ import annotations

import datetime as dt
import functools

from django.db import transaction
from django.db.models import QuerySet

from mop.engine.client import cancel, enqueue
from mop.engine.lost_enqueues import Job
from mop.registry.models import Revision
from mop.registry.names import PIPELINE_QUEUE, PIPELINE_WORKFLOW
from mop.registry.selectors import waiting_revisions
from mop.registry.statuses import RevisionStatus


def start_pipeline(revision: Revision) -> None:
    """Give the revision its turn in the queue and enqueue its pipeline when the transaction commits."""
    revision.workflow_id = f"{revision.pk}:{revision.attempt}"
    take_turn(revision)
    revision.save(update_fields=["workflow_id", "queue", "priority"])
    transaction.on_commit(functools.partial(enqueue_pipeline, revision))


def enqueue_pipeline(revision: Revision) -> None:
    """Enqueue the pipeline of the revision's attempt; doing it twice is harmless."""
    enqueue(
        workflow=PIPELINE_WORKFLOW,
        queue=PIPELINE_QUEUE,
        workflow_id=revision.workflow_id,
        args=(str(revision.pk), revision.attempt),
    )


def waiting_pipelines(before: dt.datetime) -> QuerySet[Revision]:
    """Revisions that wait for a host since before a moment: the enqueue of their pipeline may have been lost."""
    waiting = Revision.objects.filter(status=RevisionStatus.CREATED, host="", status_changed_at__lt=before)
    return waiting.exclude(workflow_id="")


PIPELINE_JOB = Job(waiting_pipelines, enqueue_pipeline)


def stop_pipeline(revision: Revision) -> None:
    """Cancel the revision's pipeline in the engine when the transaction commits."""
    if revision.workflow_id:
        transaction.on_commit(functools.partial(cancel, revision.workflow_id))


def take_turn(revision: Revision) -> None:
    """Set queue and priority. Teams take turns: a team's n-th waiting revision goes with every other team's n-th."""
    revision.queue = revision.instance_type.queue_name
    ahead = waiting_revisions(revision.queue).filter(model__team=revision.model.team).exclude(pk=revision.pk)
    revision.priority = ahead.count() + 1
