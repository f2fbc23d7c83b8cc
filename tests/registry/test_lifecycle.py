from __future__ import annotations

import pytest

from mop.errors import ConflictError, StaleAttemptError, StorageUnavailableError, UserScriptException
from mop.registry.advance import advance
from mop.registry.models import Revision, RevisionEvent
from mop.registry.selectors import timeline
from mop.registry.services import cancel_revision, retry_revision
from mop.registry.statuses import CHAIN, REVISION_LIFECYCLE, RevisionStatus
from support.factories import ACTOR, make_model

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]
S = RevisionStatus


def make_revision(status: RevisionStatus = S.CREATED) -> Revision:
    """A revision that came to `status` on the straight way."""
    revision = make_model().revisions.get()
    way = CHAIN[1 : CHAIN.index(status) + 1] if status in CHAIN else (status,)
    for step in way:
        advance(revision_id=revision.pk, attempt=1, to=step, actor=ACTOR)
    revision.refresh_from_db()
    return revision


def test_the_straight_way_enters_each_status_once():
    revision = make_revision(S.VERIFIED)
    entries = timeline(revision)
    assert [entry.status for entry in entries] == list(CHAIN)
    assert [entry.is_current for entry in entries] == [False] * 8 + [True]
    assert all(entry.seconds is not None and entry.seconds >= 0 for entry in entries[:-1])
    assert entries[-1].seconds is None


@pytest.mark.parametrize("status", list(S))
def test_only_the_table_of_transitions_is_walked(status: RevisionStatus):
    for to in set(S) - REVISION_LIFECYCLE.transitions[status] - {status, S.CREATED}:
        revision = make_model().revisions.get()
        Revision.objects.filter(pk=revision.pk).update(status=status)
        with pytest.raises(StaleAttemptError):
            advance(revision_id=revision.pk, attempt=1, to=to, actor=ACTOR)
        revision.refresh_from_db()
        assert revision.status == status
        assert revision.events.count() == 1


def test_what_is_decided_is_left_only_by_a_finding_or_its_owner():
    # `created` is entered in a new attempt alone; see the tests of retries
    ways = {S.VERIFIED: {S.VULNERABLE, S.OUTDATED}} | {
        status: {S.OUTDATED} for status in (S.VULNERABLE, S.VERIFY_FAILED, S.CANCELLED)
    }
    for status, allowed in {**ways, S.OUTDATED: set()}.items():
        revision = make_model().revisions.get()
        Revision.objects.filter(pk=revision.pk).update(status=status)
        for to in set(S) - allowed - {status}:
            with pytest.raises(StaleAttemptError):
                advance(revision_id=revision.pk, attempt=1, to=to, actor=ACTOR)


def test_a_step_that_runs_again_saves_its_facts_and_enters_nothing_twice():
    revision = make_revision(S.ENVIRONMENT_CREATED)
    again = advance(
        revision_id=revision.pk, attempt=1, to=S.DATA_DOWNLOADED, actor=ACTOR, facts={"artifact_digest": "d" * 64}
    )
    assert again is False
    revision.refresh_from_db()
    assert (revision.status, revision.artifact_digest) == ("environmentCreated", "d" * 64)
    assert revision.events.filter(status=S.DATA_DOWNLOADED).count() == 1


def test_facts_are_saved_with_the_status():
    revision = make_model().revisions.get()
    facts = {"artifact_digest": "a" * 64, "artifact_files": 3, "artifact_bytes": 12}
    assert advance(revision_id=revision.pk, attempt=1, to=S.DATA_DOWNLOADED, actor=ACTOR, facts=facts)
    revision.refresh_from_db()
    assert {name: getattr(revision, name) for name in facts} == facts


def test_a_zombies_answer_to_an_earlier_attempt_is_refused():
    revision = make_revision(S.VERIFY_FAILED)
    retry_revision(actor=ACTOR, revision=revision)
    with pytest.raises(StaleAttemptError, match="attempt 2, not 1"):
        advance(revision_id=revision.pk, attempt=1, to=S.DATA_DOWNLOADED, actor=ACTOR)
    assert advance(revision_id=revision.pk, attempt=2, to=S.DATA_DOWNLOADED, actor=ACTOR)


def test_after_a_cancel_the_worker_is_refused_even_for_a_status_it_entered():
    revision = make_revision(S.ENVIRONMENT_CREATING)
    cancel_revision(actor=ACTOR, revision=revision)
    for to in (S.ENVIRONMENT_CREATING, S.ENVIRONMENT_CREATED, S.VERIFY_FAILED):
        with pytest.raises(StaleAttemptError):
            advance(revision_id=revision.pk, attempt=1, to=to, actor=ACTOR)
    revision.refresh_from_db()
    assert revision.status == S.CANCELLED


def test_a_deleted_revision_takes_no_answer():
    revision = make_revision()
    revision.delete()
    with pytest.raises(StaleAttemptError, match="deleted"):
        advance(revision_id=revision.pk, attempt=1, to=S.DATA_DOWNLOADED, actor=ACTOR)


def test_a_failure_keeps_its_error_and_a_retry_clears_it():
    revision = make_revision()
    error = UserScriptException("boom in line 3", hint="hint it", place="src/inference.py:3")
    advance(revision_id=revision.pk, attempt=1, to=S.VERIFY_FAILED, actor=ACTOR, error=error)
    revision.refresh_from_db()
    assert revision.error == error.to_dict()
    assert timeline(revision)[-1].detail == "boom in line 3"
    row = retry_revision(actor=ACTOR, revision=revision)
    assert (row.status, row.attempt, row.error, row.workflow_id) == ("created", 2, None, f"{row.pk}:2")


@pytest.mark.parametrize("status", [S.VERIFY_FAILED, S.CANCELLED, S.TO_BE_RETRIED])
def test_what_ended_without_success_can_be_retried(status: RevisionStatus):
    row = retry_revision(actor=ACTOR, revision=make_revision(status))
    assert (row.status, row.attempt, row.host) == ("created", 2, "")


@pytest.mark.parametrize("status", [S.CREATED, S.ENVIRONMENT_CREATING, S.VERIFIED, S.VULNERABLE])
def test_what_runs_or_succeeded_is_not_retried(status: RevisionStatus):
    revision = make_revision(status)
    with pytest.raises(ConflictError):
        retry_revision(actor=ACTOR, revision=revision)
    revision.refresh_from_db()
    assert (revision.status, revision.attempt) == (status, 1)


@pytest.mark.parametrize("status", [S.CREATED, S.DEPLOYMENT_CREATING, S.TO_BE_RETRIED])
def test_what_runs_or_waits_can_be_cancelled(status: RevisionStatus):
    row = cancel_revision(actor=ACTOR, revision=make_revision(status))
    assert row.status == S.CANCELLED
    assert row.events.last().actor_label == ACTOR.label


@pytest.mark.parametrize("status", [S.VERIFIED, S.VERIFY_FAILED, S.VULNERABLE, S.CANCELLED])
def test_what_is_decided_is_not_cancelled(status: RevisionStatus):
    with pytest.raises(ConflictError):
        cancel_revision(actor=ACTOR, revision=make_revision(status))


def test_a_cause_outside_the_model_waits_and_starts_again():
    revision = make_revision(S.DATA_DOWNLOADED)
    error = StorageUnavailableError("no answer")
    advance(revision_id=revision.pk, attempt=1, to=S.TO_BE_RETRIED, actor=ACTOR, error=error)
    revision.refresh_from_db()
    assert (revision.get_status().is_final, revision.error["name"]) == (False, "StorageUnavailableError")
    assert not timeline(revision)[-1].status.is_final


def test_every_status_has_a_meaning_and_the_final_ones_end_the_pipeline():
    assert all(status.meaning for status in S)
    assert {status for status in S if status.is_final} == {
        S.VERIFIED,
        S.VERIFY_FAILED,
        S.VULNERABLE,
        S.CANCELLED,
        S.OUTDATED,
    }
    assert set(REVISION_LIFECYCLE.transitions) == set(S)


def test_the_database_itself_refuses_a_status_twice_in_an_attempt():
    revision = make_revision()
    event = RevisionEvent.objects.get(revision=revision)
    event.pk = None
    with pytest.raises(Exception, match=r"(?i)unique"):
        event.save()
