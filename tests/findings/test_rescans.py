"""A scan that somebody asks for: one at a time, enqueued when it is committed, and gone when it ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.audit.models import AuditEvent
from mop.engine.client import engine
from mop.errors import ConflictError, PolicyFileError
from mop.findings.models import Rescan
from mop.findings.names import RESCAN_WORKFLOW, SCANS_QUEUE
from mop.findings.rescans import RESCAN_JOB, end_rescan, request_rescan, waiting_rescans
from mop.registry.models import Revision
from mop.registry.services import create_revision, delete_revision
from support.factories import ACTOR, make_revision_input

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture(autouse=True)
def _engine(engine_database: str) -> Iterator[None]:
    engine.cache_clear()
    assert engine_database == settings.MOP_ENGINE_URL
    yield
    engine.cache_clear()


def work(rescan: Rescan) -> list[Any]:
    return engine().list_workflows(workflow_ids=[rescan.workflow_id])


def test_a_rescan_is_a_row_and_is_enqueued_when_the_transaction_commits(
    verified: Revision, owner: User, django_capture_on_commit_callbacks: Any
):
    with django_capture_on_commit_callbacks() as callbacks:
        rescan = request_rescan(actor=actor_of(owner), revision=verified)
    assert work(rescan) == []
    for callback in callbacks:
        callback()
    (found,) = work(rescan)
    assert (found.status, found.name, found.queue_name) == ("ENQUEUED", RESCAN_WORKFLOW, SCANS_QUEUE)
    assert found.input["args"] == (str(verified.pk), rescan.workflow_id)
    rescan.refresh_from_db()
    assert (rescan.revision, rescan.asked_by, rescan.failure) == (verified, "olivia", None)
    event = AuditEvent.objects.get(action="revision.rescan_asked")
    assert (event.object_id, event.actor_label) == (str(verified.pk), "olivia")


def test_enqueuing_twice_is_harmless(verified: Revision, django_capture_on_commit_callbacks: Any):
    with django_capture_on_commit_callbacks(execute=True):
        rescan = request_rescan(actor=ACTOR, revision=verified)
    RESCAN_JOB.enqueue(rescan)
    assert len(work(rescan)) == 1


def test_a_revision_in_its_pipeline_is_not_scanned_beside_it(revision: Revision):
    with pytest.raises(ConflictError, match="its pipeline scans it"):
        request_rescan(actor=ACTOR, revision=revision)
    assert not Rescan.objects.exists()


def test_a_revision_without_a_snapshot_has_nothing_to_scan(revision: Revision):
    Revision.objects.filter(pk=revision.pk).update(status="verifyFailed")
    with pytest.raises(ConflictError, match="has no snapshot") as caught:
        request_rescan(actor=ACTOR, revision=revision)
    assert caught.value.hint == "Add a new version."


@pytest.mark.parametrize("status", ["verified", "verifyFailed", "vulnerable", "cancelled", "outdated"])
def test_whatever_is_at_its_end_and_has_a_snapshot_may_be_scanned(verified: Revision, status: str):
    Revision.objects.filter(pk=verified.pk).update(status=status)
    assert request_rescan(actor=ACTOR, revision=verified).pk


def test_one_scan_of_a_revision_is_asked_for_at_a_time(verified: Revision):
    first = request_rescan(actor=ACTOR, revision=verified)
    with pytest.raises(ConflictError, match="is being scanned already"):
        request_rescan(actor=ACTOR, revision=verified)
    assert Rescan.objects.get() == first
    end_rescan(first.workflow_id)
    assert not Rescan.objects.exists()
    assert request_rescan(actor=ACTOR, revision=verified).workflow_id != first.workflow_id


def test_a_failed_one_stays_with_its_reason_until_the_next_is_asked_for(verified: Revision):
    first = request_rescan(actor=ACTOR, revision=verified)
    failure = PolicyFileError("policy.toml: unknown keys blok")
    end_rescan(first.workflow_id, failure=failure)
    first.refresh_from_db()
    assert first.failure == failure.to_dict()
    second = request_rescan(actor=ACTOR, revision=verified)
    assert Rescan.objects.get() == second
    assert second.failure is None


def test_the_end_of_one_that_is_gone_is_harmless(verified: Revision):
    first = request_rescan(actor=ACTOR, revision=verified)
    end_rescan(first.workflow_id)
    second = request_rescan(actor=ACTOR, revision=verified)
    end_rescan(first.workflow_id)  # a step that runs again
    end_rescan(first.workflow_id, failure=PolicyFileError("late"))
    second.refresh_from_db()
    assert second.failure is None


def test_a_rescan_goes_with_its_revision(verified: Revision, owner: User):
    create_revision(actor=ACTOR, user=owner, model=verified.model, revision=make_revision_input("v1.0.1"))
    request_rescan(actor=ACTOR, revision=verified)
    delete_revision(actor=ACTOR, revision=verified)
    assert not Rescan.objects.exists()


def test_lost_ones_wait_for_long_and_did_not_fail(verified: Revision):
    rescan = request_rescan(actor=ACTOR, revision=verified)
    minute_ago = timezone.now() - dt.timedelta(seconds=60)
    assert not waiting_rescans(minute_ago)
    Rescan.objects.update(asked_at=timezone.now() - dt.timedelta(seconds=61))
    assert list(waiting_rescans(minute_ago)) == [rescan]
    end_rescan(rescan.workflow_id, failure=PolicyFileError("no"))
    assert not waiting_rescans(minute_ago)
