"""Work whose enqueue may be lost, and the schedule that enqueues it again."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from mop.engine.lost_enqueues import EVERY_SECONDS, Waiting, register_waiting, sweep_lost_enqueues
from mop.engine.schedules import register_schedule
from mop.findings.rescans import enqueue_rescan, waiting_rescans
from mop.loadtest.advance import LOAD_TEST
from mop.loadtest.services import enqueue_load_test
from mop.registry.advance import REVISION
from mop.registry.models import Revision
from mop.registry.start import enqueue_pipeline


def _revisions(before: dt.datetime) -> QuerySet[Revision]:
    return REVISION.waiting(before).exclude(workflow_id="")


register_waiting("revisions", Waiting(_revisions, enqueue_pipeline))
register_waiting("load tests", Waiting(LOAD_TEST.waiting, enqueue_load_test))
register_waiting("rescans", Waiting(waiting_rescans, enqueue_rescan))
register_schedule("worker.lost_enqueues", EVERY_SECONDS, sweep_lost_enqueues)
