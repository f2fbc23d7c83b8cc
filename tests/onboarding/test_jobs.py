from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import Settings

from mop.engine.retries import BACKOFF_MAX_SECONDS
from mop.errors import (
    HostLostError,
    InternalError,
    MopError,
    PackageIndexUnavailableError,
    PlatformCredentialError,
    StaleAttemptError,
    UserScriptException,
)
from mop.onboarding.jobs import claim, conclude, read_job
from mop.pipeline.workflows import _next_attempt
from mop.registry.models import Revision
from mop.registry.services import cancel_revision
from mop.registry.statuses import RevisionStatus as S
from mop.serving_options import ServerMode
from support.factories import ACTOR, make_model, make_task

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]
OUTSIDE = PackageIndexUnavailableError("the index is down")
PLATFORM = PlatformCredentialError("the index refused us")


@pytest.fixture
def revision() -> Revision:
    return make_model().revisions.get()


@pytest.fixture(autouse=True)
def pauses(settings: Settings) -> None:
    settings.MOP_RETRY_BASE = 30.0
    settings.MOP_RETRY_MAX = 5


def fail(revision: Revision, error: MopError) -> tuple[S, float | None]:
    """Conclude the present attempt, and begin the next as the pipeline does; gives the status and the pause."""
    revision.refresh_from_db()
    attempt = revision.attempt
    before = timezone.now()
    status = conclude(str(revision.pk), attempt, error)
    revision.refresh_from_db()
    assert revision.status == status
    assert revision.error == error.to_dict()
    if revision.retry_at is None:
        return status, None
    assert _next_attempt(str(revision.pk), attempt + 1, revision.workflow_id)
    return status, round((revision.retry_at - before).total_seconds())


def test_a_fault_of_the_model_ends_it(revision: Revision):
    assert fail(revision, UserScriptException("boom")) == (S.VERIFY_FAILED, None)


def test_an_unexpected_error_without_a_class_ends_it(revision: Revision):
    assert fail(revision, MopError("who knows"))[0] == S.VERIFY_FAILED


def test_a_cause_outside_is_tried_again_five_times_with_doubling_pauses(revision: Revision):
    assert [fail(revision, OUTSIDE) for _ in range(5)] == [
        (S.TO_BE_RETRIED, 30),
        (S.TO_BE_RETRIED, 60),
        (S.TO_BE_RETRIED, 120),
        (S.TO_BE_RETRIED, 240),
        (S.TO_BE_RETRIED, 480),
    ]
    assert fail(revision, HostLostError("and the host")) == (S.VERIFY_FAILED, None)
    assert revision.error is not None
    assert revision.error["name"] == "HostLostError"


def test_faults_of_the_platform_do_not_count(revision: Revision):
    for _ in range(7):
        assert fail(revision, PLATFORM)[0] == S.TO_BE_RETRIED
    for _ in range(5):
        assert fail(revision, OUTSIDE)[0] == S.TO_BE_RETRIED
    assert fail(revision, PLATFORM)[0] == S.TO_BE_RETRIED
    assert fail(revision, OUTSIDE)[0] == S.VERIFY_FAILED


def test_pauses_grow_to_six_hours_and_no_further(revision: Revision):
    pauses = [fail(revision, PLATFORM)[1] for _ in range(14)]
    assert pauses[9] == 30 * 2**9
    assert pauses[10:] == [BACKOFF_MAX_SECONDS] * 4


def test_tries_of_yesterday_are_forgotten(revision: Revision, monkeypatch: pytest.MonkeyPatch):
    for _ in range(5):
        fail(revision, OUTSIDE)
    tomorrow = timezone.now() + dt.timedelta(hours=24, minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: tomorrow)
    assert fail(revision, OUTSIDE) == (S.TO_BE_RETRIED, 30)


def test_the_step_that_runs_again_after_a_crash_concludes_the_same(revision: Revision, settings: Settings):
    settings.MOP_RETRY_MAX = 1
    for _ in range(2):
        assert conclude(str(revision.pk), 1, OUTSIDE) == S.TO_BE_RETRIED
    assert [event.status for event in revision.events.all()] == ["created", "toBeRetried"]


def test_a_bug_of_ours_is_tried_again_and_named(revision: Revision):
    assert fail(revision, InternalError("ZeroDivisionError: division by zero"))[0] == S.TO_BE_RETRIED


def test_a_cancelled_revision_is_not_concluded(revision: Revision):
    cancel_revision(actor=ACTOR, revision=revision)
    with pytest.raises(StaleAttemptError):
        conclude(str(revision.pk), 1, OUTSIDE)
    with pytest.raises(StaleAttemptError):
        conclude(str(revision.pk), 1, UserScriptException("boom"))


def test_an_order_holds_what_the_attempt_needs():
    model = make_model(
        tasks=(make_task("t1", taxonomy="Hate"), make_task("t2", taxonomy="Sexual", modality="Image")),
        sample_post_data={"text": "x"},
        worker_number=2,
        thread_number=3,
        server="gunicorn",
        batch_max_size=7,
    )
    revision = model.revisions.get()
    order = read_job(str(revision.pk), 1, "w1")
    assert (order.revision_id, order.attempt, order.name) == (revision.pk, 1, f"{model.name} v1.0.0")
    assert (order.sample_post_data, order.artifact_digest) == ({"text": "x"}, "")
    assert (order.configuration.cpus, order.configuration.memory_bytes) == (4, 8 * 1024**3)
    assert (order.configuration.workers, order.configuration.threads, order.configuration.batch.max_size) == (2, 3, 7)
    assert order.configuration.server is ServerMode.GUNICORN
    assert [(task.taxonomy, task.modality, task.labels) for task in order.tasks] == [
        ("Hate", "Text", ("0", "1")),
        ("Sexual", "Image", ("0", "1")),
    ]


def test_another_attempts_order_is_stale(revision: Revision):
    with pytest.raises(StaleAttemptError):
        read_job(str(revision.pk), 2, "w1")
    cancel_revision(actor=ACTOR, revision=revision)
    with pytest.raises(StaleAttemptError):
        read_job(str(revision.pk), 1, "w1")
    Revision.objects.all().delete()
    with pytest.raises(StaleAttemptError):
        read_job(str(revision.pk), 1, "w1")


def test_a_claim_names_the_host_and_refuses_what_is_over(revision: Revision):
    claim(str(revision.pk), 1, "w1")
    claim(str(revision.pk), 1, "w2")
    revision.refresh_from_db()
    assert revision.host == "w2"
    with pytest.raises(StaleAttemptError):
        claim(str(revision.pk), 2, "w3")
    cancel_revision(actor=ACTOR, revision=revision)
    with pytest.raises(StaleAttemptError):
        claim(str(revision.pk), 1, "w3")
