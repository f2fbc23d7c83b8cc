"""What a later scan changes: a verified version that findings block turns vulnerable, and owners hear what is new."""

from __future__ import annotations

import uuid

import pytest

from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.errors import ModelStructureError, StaleAttemptError
from mop.findings import notices
from mop.findings.models import Scan
from mop.notifications.models import Notification
from mop.registry.advance import advance
from mop.registry.models import Revision
from mop.registry.services import add_owner
from mop.registry.statuses import RevisionStatus
from support.factories import ACTOR, make_user
from support.scans import (
    BLOCKS,
    DIGEST,
    NOTED,
    WARNS_HIGH,
    WARNS_LOW,
    WORKER,
    keep_scan,
    make_advisory,
    scan_later,
)

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]

OF_ENVIRONMENT = "Python 3.11.4 is not installed here."


def told(user: User) -> list[tuple[str, str]]:
    return list(Notification.objects.filter(recipient=user).order_by("pk").values_list("kind", "title"))


def news(user: User) -> list[str]:
    """What was told of findings alone."""
    return [title for kind, title in told(user) if kind == "findings"]


def test_a_verified_version_that_is_blocked_turns_vulnerable_with_the_error_of_the_catalogue(verified: Revision):
    keep_scan(verified, WARNS_LOW)
    scan_later(verified, WARNS_LOW, BLOCKS)
    verified.refresh_from_db()
    assert verified.get_status() == RevisionStatus.VULNERABLE
    assert verified.error["name"] == "BlockingFindingsError"
    assert verified.error["message"].startswith("1 finding blocks this version.")
    assert verified.error["place"] == "model/weights.pkl, byte 2048"
    assert verified.artifact_digest == DIGEST
    event = verified.events.get(status="vulnerable")
    assert (event.attempt, event.actor_label) == (1, "MOP worker")
    assert AuditEvent.objects.filter(action="revision.status", data__to="vulnerable").exists()


def test_warnings_of_the_scan_are_replaced_and_others_kept(verified: Revision):
    scan_later(verified, WARNS_LOW)
    verified.refresh_from_db()
    assert verified.warnings == [OF_ENVIRONMENT, "Scan: low: It holds native code."]
    scan_later(verified, WARNS_HIGH, NOTED)
    verified.refresh_from_db()
    assert verified.warnings == [OF_ENVIRONMENT, "Scan: high: numpy 1.26.4 is affected by OSV-2026-1."]
    scan_later(verified)
    verified.refresh_from_db()
    assert verified.warnings == [OF_ENVIRONMENT]
    assert verified.get_status() == RevisionStatus.VERIFIED


def test_a_failed_version_stays_failed_whatever_is_found(revision: Revision):
    error = ModelStructureError("src/inference.py is missing.")
    advance(revision_id=revision.pk, attempt=1, to=RevisionStatus.VERIFY_FAILED, actor=WORKER, error=error)
    scan_later(revision, BLOCKS, WARNS_HIGH)
    revision.refresh_from_db()
    assert revision.get_status() == RevisionStatus.VERIFY_FAILED
    assert (revision.error["name"], revision.warnings) == ("ModelStructureError", [])
    assert Scan.objects.get(revision=revision).decision == "vulnerable"


def test_a_vulnerable_version_stays_vulnerable_when_nothing_is_found_any_more(verified: Revision):
    scan_later(verified, BLOCKS)
    scan_later(verified)
    verified.refresh_from_db()
    assert verified.get_status() == RevisionStatus.VULNERABLE
    assert Scan.objects.get(revision=verified, is_current=True).decision == "clean"


def test_new_findings_are_told_once_to_every_owner_and_to_nobody_else(
    verified: Revision, owner: User, stranger: User, administrator: User
):
    second = make_user("noor")
    add_owner(actor=ACTOR, model=verified.model, user=second)
    keep_scan(verified, WARNS_LOW)
    for _ in range(2):  # the second time as a step that runs again after a crash
        scan_later(verified, WARNS_LOW, WARNS_HIGH, make_advisory("OSV-2026-2"), key="rescan:1")
    assert news(owner) == news(second) == ["toxicity v1.0.0 has 2 new findings"]
    assert told(stranger) == told(administrator) == []
    notification = Notification.objects.get(recipient=owner, kind="findings")
    assert notification.reason == "high: numpy 1.26.4 is affected by OSV-2026-1."
    assert notification.hint == "Take numpy 2.0.0."
    assert notification.link == "/models/toxicity/versions/v1.0.0/findings/"


def test_what_was_found_before_is_not_told_again_and_what_is_found_next_is(verified: Revision, owner: User):
    keep_scan(verified, WARNS_LOW)
    scan_later(verified, WARNS_LOW, WARNS_HIGH)
    scan_later(verified, WARNS_LOW, WARNS_HIGH)
    assert news(owner) == ["toxicity v1.0.0 has 1 new finding"]
    scan_later(verified, WARNS_LOW, WARNS_HIGH, make_advisory("OSV-2026-2"))
    assert news(owner) == ["toxicity v1.0.0 has 1 new finding"] * 2


def test_a_new_finding_that_blocks_is_told_with_the_status(verified: Revision, owner: User):
    keep_scan(verified)
    scan_later(verified, BLOCKS)
    assert told(owner)[-1] == ("vulnerable", "toxicity v1.0.0 is vulnerable")
    assert news(owner) == []


def test_nothing_new_and_what_is_only_noted_is_told_to_nobody(verified: Revision, owner: User):
    keep_scan(verified, WARNS_LOW)
    scan_later(verified, WARNS_LOW, NOTED)
    assert news(owner) == []


def test_who_answers_for_what_runs_the_version_is_told_too_and_an_owner_once(
    verified: Revision, owner: User, stranger: User, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def operators(revision: Revision) -> list[User]:
        asked.append(revision)
        return [stranger, owner]

    monkeypatch.setattr(notices, "OTHERS_TOLD", [operators])
    keep_scan(verified)
    scan_later(verified, WARNS_HIGH)
    assert asked == [verified]
    assert news(stranger) == news(owner) == ["toxicity v1.0.0 has 1 new finding"]


def test_a_deleted_revision_is_refused(verified: Revision):
    verified.pk = uuid.uuid4()
    with pytest.raises(StaleAttemptError):
        scan_later(verified, BLOCKS)
