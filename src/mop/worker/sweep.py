"""Work whose enqueue was lost (the engine's database did not answer at the commit) is enqueued again."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from mop.engine.schedules import register_schedule
from mop.findings.rescans import enqueue_rescan, lost_rescans
from mop.loadtest.models import LoadTest
from mop.loadtest.services import enqueue_load_test
from mop.loadtest.states import LoadTestState
from mop.registry.models import Revision
from mop.registry.start import enqueue_pipeline
from mop.registry.statuses import RevisionStatus

EVERY_SECONDS = 5.0
RESCANS_EVERY_SECONDS = 30.0
GRACE = dt.timedelta(seconds=5)


def sweep_lost_enqueues() -> int:
    """Enqueue what waits since before the grace time; the engine attaches to work that it already has.

    Returns:
        How many were looked at.
    """
    return _revisions() + _load_tests()


def _revisions() -> int:
    waiting = Revision.objects.filter(
        status=RevisionStatus.CREATED, host="", status_changed_at__lt=timezone.now() - GRACE
    ).exclude(workflow_id="")
    count = 0
    for revision in waiting.iterator():
        enqueue_pipeline(revision)
        count += 1
    return count


def sweep_lost_rescans() -> int:
    """Enqueue scans that were asked for and may have been lost.

    Returns:
        How many were looked at.
    """
    lost = lost_rescans(older_than_seconds=GRACE.total_seconds())
    for waiting in lost:
        enqueue_rescan(waiting)
    return len(lost)


def _load_tests() -> int:
    waiting = LoadTest.objects.filter(state=LoadTestState.QUEUED, host="", created_at__lt=timezone.now() - GRACE)
    count = 0
    for test in waiting.iterator():
        enqueue_load_test(test)
        count += 1
    return count


register_schedule("worker.lost_enqueues", EVERY_SECONDS, sweep_lost_enqueues)
register_schedule("worker.lost_rescans", RESCANS_EVERY_SECONDS, sweep_lost_rescans)
