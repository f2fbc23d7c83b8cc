"""Enabling, cancelling and concluding load tests, and the states that they pass."""

from __future__ import annotations

from typing import Any

import pytest

from mop.audit.models import AuditEvent
from mop.engine.job import release_host
from mop.engine.watch import Run
from mop.errors import ConflictError, HostLostError, StaleAttemptError, ValidationFailedError
from mop.loadtest.advance import LOAD_TEST
from mop.loadtest.headline import standings_of
from mop.loadtest.jobs import ENABLE_AGAIN, conclude, read_done, read_job, store_step, verification_waits
from mop.loadtest.models import LoadTest
from mop.loadtest.planning import RunRequest
from mop.loadtest.selectors import get_run
from mop.loadtest.services import cancel_load_test, enable_load_test, start_after_verified
from mop.loadtest.stage import PIPELINE
from mop.loadtest.states import LOAD_TEST_LIFECYCLE, LoadTestState, state_of_run
from mop.notifications.models import Notification
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus
from support.factories import ACTOR, make_model, make_task
from support.load_tests import enabled, finished, running, step_result

pytestmark = pytest.mark.django_db
S = LoadTestState


@pytest.fixture
def revision() -> Revision:
    return verified(make_model(tasks=(make_task(),), load_test_option="PerRPS").revisions.get())


def verified(revision: Revision) -> Revision:
    Revision.objects.filter(pk=revision.pk).update(status=RevisionStatus.VERIFIED, artifact_digest="ab" * 32)
    revision.refresh_from_db()
    return revision


def test_what_is_over_stays_so_and_what_lives_can_be_cancelled():
    transitions = LOAD_TEST_LIFECYCLE.transitions
    assert all(not transitions[state] for state in LOAD_TEST_LIFECYCLE.final)
    assert all(S.CANCELLED in transitions[state] for state in (S.QUEUED, S.RUNNING))


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        ([S.QUEUED, S.QUEUED], S.QUEUED),
        ([S.FINISHED, S.QUEUED], S.RUNNING),
        ([S.RUNNING, S.QUEUED], S.RUNNING),
        ([S.FINISHED, S.FAILED], S.FAILED),
        ([S.FINISHED, S.CANCELLED], S.CANCELLED),
        ([S.FINISHED, S.FINISHED], S.FINISHED),
    ],
)
def test_a_run_of_several_modalities_has_one_state(states: list[S], shown: S):
    assert state_of_run(states) == shown


def test_a_run_has_a_test_for_each_modality_of_the_connected_tasks():
    tasks = (make_task(), make_task(taxonomy="Violence"), make_task(taxonomy="Sexual", modality="Image"))
    revision = verified(make_model(tasks=tasks).revisions.get())
    tests = enable_load_test(actor=ACTOR, revision=revision, request=RunRequest())
    assert [(test.modality, test.run, test.state) for test in tests] == [("Image", 1, "queued"), ("Text", 1, "queued")]


def test_what_a_lost_host_worked_on_waits_for_another_and_what_is_over_keeps_its_host(revision: Revision):
    lost, over = enabled(revision), enabled(verified(make_model().revisions.get()))
    for test in (lost, over):
        LOAD_TEST.claim(Run(str(test.pk)), host="w1")
    running(lost)
    finished(over, [])
    release_host("w1")
    lost.refresh_from_db()
    over.refresh_from_db()
    assert [(test.state, test.host) for test in (lost, over)] == [("running", ""), ("finished", "w1")]


def test_a_run_takes_the_revisions_option_and_the_installations_defaults_unless_it_is_asked_otherwise(
    revision: Revision,
):
    test = enabled(revision)
    assert test.option == "PerRPS"
    assert list(test.plan["targets"][:4]) == [1, 10, 20, 30]
    assert (test.plan["duration_s"], test.plan["budget_s"]) == (300.0, 7200.0)
    cancel_load_test(actor=ACTOR, revision=revision)
    asked = RunRequest(option="PerConcurrency", targets=(2, 4), duration_s=1.5, warm_up_s=0.0, budget_s=60.0, seed=9)
    (again,) = enable_load_test(actor=ACTOR, revision=revision, request=asked)
    assert (again.run, again.option) == (2, "PerConcurrency")
    assert (list(again.plan["targets"]), again.plan["duration_s"], again.plan["seed"]) == ([2, 4], 1.5, 9)


def test_a_revision_whose_option_is_off_is_tested_per_concurrency():
    revision = verified(make_model(load_test_option="off").revisions.get())
    assert enabled(revision).option == "PerConcurrency"


@pytest.mark.parametrize("asked", [{"targets": (3, 2)}, {"targets": (0,)}, {"duration_s": 9000.0}, {"seed": -1}])
def test_what_can_not_be_run_is_refused_at_the_field(revision: Revision, asked: dict):
    with pytest.raises(ValidationFailedError) as caught:
        enabled(revision, **asked)
    assert caught.value.fields.keys() == {"steps"}
    assert not LoadTest.objects.exists()


@pytest.mark.parametrize("status", sorted(set(RevisionStatus) - {RevisionStatus.VERIFIED}))
def test_only_a_verified_revision_is_load_tested(revision: Revision, status: RevisionStatus):
    Revision.objects.filter(pk=revision.pk).update(status=status)
    with pytest.raises(ConflictError, match=rf"is {status.value}; only a verified version"):
        enabled(revision)


def test_one_run_at_a_time(revision: Revision):
    enabled(revision)
    with pytest.raises(ConflictError, match="on its way"):
        enabled(revision)


def test_verification_starts_the_first_run_once_and_only_where_the_form_asks_for_one(revision: Revision):
    for expected in (1, 0):  # the step may run again after a crash
        assert start_after_verified(actor=ACTOR, revision_id=str(revision.pk), attempt=1) == expected
    assert start_after_verified(actor=ACTOR, revision_id=str(revision.pk), attempt=2) == 0
    off = verified(make_model(load_test_option="off").revisions.get())
    assert start_after_verified(actor=ACTOR, revision_id=str(off.pk), attempt=1) == 0


def test_cancelling_ends_what_waits_and_keeps_the_steps_that_ended(revision: Revision):
    test = running(enabled(revision), [step_result(1, 5.0)])
    cancel_load_test(actor=ACTOR, revision=revision)
    test.refresh_from_db()
    assert (test.state, test.progress, test.ended_at is None) == ("cancelled", None, False)
    assert test.steps.count() == 1
    assert LOAD_TEST.wanted([Run(str(test.pk))]) == set()
    for late in (
        lambda: store_step(test.pk, step_result(10, 9.0), 1.0),
        lambda: conclude(str(test.pk), ended="finished"),
        lambda: read_job(str(test.pk), "w1"),
    ):
        with pytest.raises(StaleAttemptError):
            late()
    with pytest.raises(ConflictError, match="nothing to cancel"):
        cancel_load_test(actor=ACTOR, revision=revision)


def test_every_state_is_entered_once_and_audited(revision: Revision):
    test = enabled(revision)
    running(test)
    running(test)  # after a crash
    conclude(str(test.pk), ended="plateau")
    events = AuditEvent.objects.filter(action="loadtest.state", object_id=str(test.pk)).order_by("id")
    assert [(event.data["from"], event.data["to"]) for event in events] == [
        (None, "queued"),
        ("queued", "running"),
        ("running", "finished"),
    ]
    with pytest.raises(StaleAttemptError):
        LOAD_TEST.advance(test.pk, to=S.RUNNING, actor=ACTOR)


def test_a_step_that_is_repeated_after_a_crash_stands_once_and_counts_once(revision: Revision):
    test = running(enabled(revision))
    store_step(test.pk, step_result(1, 5.0), 12.0)
    store_step(test.pk, step_result(1, 6.0), 13.0)
    done = read_done(test.pk)
    assert ([step.rps for step in done.steps], done.seconds) == ([6.0], 13.0)


def test_a_revision_that_became_vulnerable_is_measured_no_further(revision: Revision):
    test = running(enabled(revision), [step_result(1, 5.0)])
    Revision.objects.filter(pk=revision.pk).update(status=RevisionStatus.VULNERABLE)
    for look in (lambda: read_done(test.pk), lambda: read_job(str(test.pk), "w1")):
        with pytest.raises(ConflictError, match="vulnerable by now"):
            look()


def test_a_cause_outside_the_model_fails_with_a_hint_of_its_own_because_nothing_is_tried_again(revision: Revision):
    test = running(enabled(revision))
    conclude(str(test.pk), error=HostLostError("no room"))
    test.refresh_from_db()
    assert test.state == "failed"
    assert (test.error["name"], test.error["hint"]) == ("HostLostError", ENABLE_AGAIN)


def test_the_state_of_a_revision_is_that_of_its_newest_run(revision: Revision):
    other = make_model().revisions.get()
    untested = verified(make_model().revisions.get())
    finished(enabled(revision), [step_result(1, 5.0)])
    assert {key: found.state for key, found in standings_of([revision, other, untested]).items()} == {
        revision.pk: S.FINISHED,
        other.pk: S.NOT_AVAILABLE,
        untested.pk: S.NOT_STARTED,
    }
    enabled(revision)
    assert standings_of([revision])[revision.pk].state == S.QUEUED
    run = get_run(revision, 1)
    assert run is not None
    assert run.state == S.FINISHED


def test_owners_are_told_how_a_load_test_ended_and_whoever_cancelled_it_is_not(revision: Revision):
    finished(enabled(revision), [step_result(1, 10.0)])
    test = enabled(revision)
    conclude(str(test.pk), error=HostLostError("it died"))
    cancel_load_test(actor=ACTOR, revision=enabled(revision).revision)
    told = list(Notification.objects.order_by("pk").values_list("kind", "title", "reason"))
    assert told == [
        ("loadTestFinished", f"The load test of {revision} has finished", "Text: 1 step measured."),
        ("loadTestFailed", f"The load test of {revision} failed", "it died"),
    ]
    assert {one.recipient_id for one in Notification.objects.all()} == {revision.model.owners.get().pk}


@pytest.mark.parametrize(
    ("status", "host", "waits"),
    [
        (RevisionStatus.CREATED, "", True),
        (RevisionStatus.DATA_DOWNLOADED, "here", True),
        (RevisionStatus.DATA_DOWNLOADED, "elsewhere", False),
        (RevisionStatus.VERIFIED, "here", False),
        (RevisionStatus.TO_BE_RETRIED, "", False),
    ],
)
def test_verification_that_this_host_may_do_goes_first(
    revision: Revision, status: RevisionStatus, host: str, *, waits: bool
):
    other = make_model(tasks=(make_task(),)).revisions.get()
    Revision.objects.filter(pk=other.pk).update(status=status, host=host)
    assert verification_waits(revision.pk, "here") == waits


@pytest.mark.parametrize("deferred", [True, False])
def test_only_a_load_test_of_the_pipeline_gives_way_and_only_where_the_operator_says_so(
    revision: Revision, settings: Any, *, deferred: bool
):
    settings.MOP_LOAD_TEST_DEFERRED = deferred
    start_after_verified(actor=PIPELINE, revision_id=str(revision.pk), attempt=revision.attempt)
    assert read_job(str(revision.load_tests.get().pk), "h").gives_way == deferred
    cancel_load_test(actor=ACTOR, revision=revision)
    enabled(revision)
    assert not read_job(str(revision.load_tests.get(run=2).pk), "h").gives_way


def test_deleting_a_revision_takes_its_load_tests_along(revision: Revision):
    test = running(enabled(revision), [step_result(1, 5.0)])
    revision.model.delete()
    assert LOAD_TEST.wanted([Run(str(test.pk))]) == set()
    with pytest.raises(StaleAttemptError):
        read_job(str(test.pk), "w1")
