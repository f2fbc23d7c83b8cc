from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from mop.engine.client import engine
from mop.engine.job import GRACE, sweep_lost_enqueues
from mop.registry.models import Revision
from mop.registry.services import cancel_revision
from support.factories import ACTOR, make_model

pytestmark = pytest.mark.django_db


def make_lost(**changes: object) -> Revision:
    """A revision whose enqueue never came (nothing commits in this test), since before the grace time."""
    revision = make_model().revisions.get()
    fields = {"status_changed_at": timezone.now() - GRACE - dt.timedelta(seconds=1)} | changes
    Revision.objects.filter(pk=revision.pk).update(**fields)
    revision.refresh_from_db()
    return revision


def enqueued(revision: Revision) -> list[str]:
    return [found.status for found in engine().list_workflows(workflow_ids=[revision.workflow_id])]


def test_what_was_lost_is_enqueued_once(engine_database: str):
    revision = make_lost()
    assert enqueued(revision) == []
    assert sweep_lost_enqueues() == 1
    assert sweep_lost_enqueues() == 1
    assert enqueued(revision) == ["ENQUEUED"]


def test_what_may_still_come_by_itself_is_left_alone(engine_database: str):
    revision = make_lost(status_changed_at=timezone.now())
    assert sweep_lost_enqueues() == 0
    assert enqueued(revision) == []


def test_what_a_host_took_or_an_owner_cancelled_is_left_alone(engine_database: str):
    taken = make_lost(host="w1")
    cancelled = cancel_revision(actor=ACTOR, revision=make_lost())
    assert sweep_lost_enqueues() == 0
    assert enqueued(taken) == enqueued(cancelled) == []
