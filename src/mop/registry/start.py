"""Handing a revision to the pipeline, which stands above and is reached by name only."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from mop.engine.job import Job
from mop.registry.advance import REVISION
from mop.registry.models import Revision
from mop.registry.names import PIPELINE_QUEUE, PIPELINE_WORKFLOW
from mop.registry.selectors import waiting_revisions


def _waiting(before: dt.datetime) -> QuerySet[Revision]:
    return REVISION.waiting(before).exclude(workflow_id="")


PIPELINE_JOB: Job[Revision] = Job(
    workflow=PIPELINE_WORKFLOW,
    workflow_id=lambda revision: revision.workflow_id,
    queue=lambda _revision: PIPELINE_QUEUE,
    args=lambda revision: (str(revision.pk), revision.attempt),
    waiting=_waiting,
    release=REVISION.release,
)


def start_pipeline(revision: Revision) -> None:
    """Give the revision its turn in the queue and enqueue its pipeline when the transaction commits."""
    revision.workflow_id = f"{revision.pk}:{revision.attempt}"
    take_turn(revision)
    revision.save(update_fields=["workflow_id", "queue", "priority"])
    PIPELINE_JOB.start(revision)


def take_turn(revision: Revision) -> None:
    """Set queue and priority. Teams take turns: a team's n-th waiting revision goes with every other team's n-th."""
    revision.queue = revision.instance_type.queue_name
    ahead = waiting_revisions(revision.queue).filter(model__team=revision.model.team).exclude(pk=revision.pk)
    revision.priority = ahead.count() + 1
