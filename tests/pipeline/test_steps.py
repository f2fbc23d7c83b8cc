from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import Settings

from mop.errors import PackageIndexUnavailableError
from mop.onboarding.jobs import conclude
from mop.pipeline.stages import begin_stage, stages
from mop.pipeline.workflows import _next_attempt, _pause
from mop.registry.models import Revision
from mop.registry.services import cancel_revision, retry_revision
from support.factories import ACTOR, make_model

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]
OUTSIDE = PackageIndexUnavailableError("the index is down")


def _turn(revision_id: str, attempt: int) -> tuple[str, int] | None:
    """What the first stage, onboarding, gives the pipeline for an attempt."""
    return begin_stage(stages()[0], revision_id, attempt)


@pytest.fixture
def revision(settings: Settings) -> Revision:
    settings.MOP_RETRY_BASE = 30.0
    return make_model().revisions.get()


def test_the_turn_of_an_attempt_is_its_queue_and_a_priority_that_goes_by_turn_and_then_by_arrival(revision: Revision):
    other = make_model().revisions.get()
    Revision.objects.filter(pk=other.pk).update(priority=revision.priority)

    def priority_of(row: Revision) -> int:
        turn = _turn(str(row.pk), 1)
        assert turn is not None
        assert turn[0] == row.queue
        return turn[1]

    assert priority_of(revision) < priority_of(other) < 2**31
    Revision.objects.filter(pk=revision.pk).update(priority=revision.priority + 1)
    assert priority_of(other) < priority_of(revision) < 2**31
    Revision.objects.filter(pk=revision.pk).update(priority=2_000_000)
    assert priority_of(other) < priority_of(revision) < 2**31
    assert _turn(str(revision.pk), 2) is None
    cancel_revision(actor=ACTOR, revision=revision)
    assert _turn(str(revision.pk), 1) is None


def test_the_pause_is_what_is_left_of_it(revision: Revision):
    conclude(str(revision.pk), 1, OUTSIDE)
    assert 25 < _pause(str(revision.pk), 1) <= 30
    Revision.objects.filter(pk=revision.pk).update(retry_at=timezone.now() - dt.timedelta(hours=1))
    assert _pause(str(revision.pk), 1) == 0.0
    assert _pause(str(revision.pk), 2) == 0.0


def test_the_next_attempt_begins_once_however_often_the_step_runs(revision: Revision):
    conclude(str(revision.pk), 1, OUTSIDE)
    for _ in range(2):
        assert _next_attempt(str(revision.pk), 2, revision.workflow_id)
    assert [(event.attempt, event.status) for event in revision.events.all()] == [
        (1, "created"),
        (1, "toBeRetried"),
        (2, "created"),
    ]


def test_an_owners_own_retry_ends_the_old_pipeline(revision: Revision):
    conclude(str(revision.pk), 1, OUTSIDE)
    retry_revision(actor=ACTOR, revision=revision)
    assert not _next_attempt(str(revision.pk), 2, revision.workflow_id)
    assert _turn(str(revision.pk), 1) is None


def test_a_revision_cancelled_while_it_waits_begins_no_attempt(revision: Revision):
    conclude(str(revision.pk), 1, OUTSIDE)
    cancel_revision(actor=ACTOR, revision=revision)
    assert not _next_attempt(str(revision.pk), 2, revision.workflow_id)
