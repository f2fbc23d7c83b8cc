"""How versions end, that they wait, and who owns a model: each owner is told once, in the change's transaction."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.errors import ModelStructureError, SandboxUnavailableError, StaleAttemptError, StorageUnavailableError
from mop.notifications.models import Notification
from mop.notifications.selectors import unread_count
from mop.onboarding.jobs import conclude
from mop.registry.advance import advance
from mop.registry.models import Model, Revision
from mop.registry.services import (
    add_owner,
    begin_attempt,
    cancel_revision,
    create_revision,
    delete_model,
    delete_revision,
    remove_owner,
    retry_revision,
)
from mop.registry.statuses import CHAIN, RevisionStatus
from support.factories import ACTOR, make_revision_input, make_user

from .conftest import WORKER, End

S = RevisionStatus
PAGE = "/models/toxicity/versions/v1.0.0/"


def told(user: User) -> list[tuple[str, str]]:
    return list(Notification.objects.filter(recipient=user).order_by("pk").values_list("kind", "title"))


def fail(revision: Revision, status: S, error: Exception | None = None) -> None:
    advance(revision_id=revision.pk, attempt=revision.attempt, to=status, actor=WORKER, error=error)


def test_a_verified_version_is_told_to_every_owner_and_to_nobody_else(end: End, olivia: User, sam: User):
    stranger, administrator = make_user(), make_user(is_administrator=True)
    end(S.VERIFIED)
    news = [("verified", "toxicity v1.0.0 is verified")]
    assert (told(olivia), told(sam), told(stranger), told(administrator)) == (news, news, [], [])
    notification = Notification.objects.get(recipient=olivia)
    assert (notification.reason, notification.link) == ("The model's answers follow the contract.", PAGE)
    assert (notification.hint, notification.read_at) == ("", None)


def test_a_failed_version_is_told_with_reason_and_hint(end: End, olivia: User):
    end(S.VERIFY_FAILED, error=ModelStructureError("src/inference.py is missing.", hint="Add it."))
    notification = Notification.objects.get(recipient=olivia)
    assert (notification.kind, notification.title) == ("verifyFailed", "toxicity v1.0.0 failed verification")
    assert (notification.reason, notification.hint) == ("src/inference.py is missing.", "Add it.")


def test_a_version_that_turns_vulnerable_after_it_was_verified_is_told_too(end: End, olivia: User, revision: Revision):
    end(S.VERIFIED)
    end(S.VULNERABLE, detail="CVE-2026-1 in model/weights.pkl")
    assert [kind for kind, _ in told(olivia)] == ["verified", "vulnerable"]
    assert Notification.objects.filter(recipient=olivia).latest("pk").reason == "CVE-2026-1 in model/weights.pkl"


def test_statuses_on_the_way_are_told_to_nobody(revision: Revision, olivia: User):
    for status in CHAIN[1:-1]:
        advance(revision_id=revision.pk, attempt=1, to=status, actor=WORKER)
    assert told(olivia) == []


def test_who_cancels_is_not_told_and_the_other_owner_is(revision: Revision, olivia: User, sam: User):
    cancel_revision(actor=actor_of(olivia), revision=revision)
    assert told(olivia) == []
    assert told(sam) == [("cancelled", "toxicity v1.0.0 was cancelled")]
    assert Notification.objects.get(recipient=sam).reason == "cancelled by olivia"


def test_waiting_is_told_the_first_time_only_until_an_owner_retries(revision: Revision, olivia: User):
    for _ in range(3):  # MOP's own tries again
        fail(revision, S.TO_BE_RETRIED, StorageUnavailableError("The storage did not answer."))
        revision.refresh_from_db()
        begin_attempt(revision, actor=WORKER, detail="tried again")
    waits = ("toBeRetried", "toxicity v1.0.0 waits and is tried again")
    assert told(olivia) == [waits]
    fail(revision, S.VERIFY_FAILED, StorageUnavailableError("The storage did not answer."))
    revision.refresh_from_db()
    retried = retry_revision(actor=actor_of(olivia), revision=revision)
    fail(retried, S.TO_BE_RETRIED, StorageUnavailableError("The storage did not answer."))
    assert told(olivia) == [waits, ("verifyFailed", "toxicity v1.0.0 failed verification"), waits]


def test_each_attempt_s_end_is_told(revision: Revision, olivia: User):
    for _ in range(2):
        fail(revision, S.VERIFY_FAILED, ModelStructureError("no"))
        revision.refresh_from_db()
        revision = retry_revision(actor=actor_of(olivia), revision=revision)
    assert len(told(olivia)) == 2


def test_a_step_that_runs_again_after_a_crash_tells_nothing_twice(revision: Revision, olivia: User, sam: User):
    for _ in range(2):
        conclude(str(revision.pk), 1, ModelStructureError("no"))
    assert (len(told(olivia)), len(told(sam))) == (1, 1)


def test_a_change_that_is_rolled_back_tells_nothing(revision: Revision, olivia: User):
    with transaction.atomic():
        fail(revision, S.VERIFY_FAILED, ModelStructureError("no"))
        assert len(told(olivia)) == 1
        transaction.set_rollback(True)  # as a power cut would
    assert told(olivia) == []
    fail(revision, S.VERIFY_FAILED, ModelStructureError("no"))
    assert len(told(olivia)) == 1


def test_a_refused_change_tells_nothing(revision: Revision, olivia: User):
    with pytest.raises(StaleAttemptError):
        advance(revision_id=revision.pk, attempt=7, to=S.VERIFIED, actor=WORKER)
    assert told(olivia) == []


def test_a_fault_of_the_platform_is_told_to_owners_and_operators(revision: Revision, olivia: User):
    root = make_user("root", is_administrator=True)
    error = SandboxUnavailableError("level 2 (rlimit): no user namespaces", hint="Allow user namespaces.")
    advance(revision_id=revision.pk, attempt=1, to=S.TO_BE_RETRIED, actor=WORKER, error=error, retry_at=timezone.now())
    assert [kind for kind, _ in told(olivia)] == ["toBeRetried"]
    assert told(root) == [("alert", "The sandbox is not available at the required level")]


def test_inactive_owners_are_told_nothing(end: End, olivia: User, sam: User):
    User.objects.filter(pk=sam.pk).update(is_active=False)
    end(S.VERIFIED)
    assert (len(told(olivia)), told(sam)) == (1, [])


def test_a_new_owner_and_the_others_are_told_and_who_did_it_is_not(model: Model, olivia: User, sam: User):
    new = make_user("noor")
    add_owner(actor=actor_of(olivia), model=model, user=new)
    assert told(new) == [("ownership", "You are now an owner of toxicity")]
    assert told(sam) == [("ownership", "noor is now an owner of toxicity")]
    assert told(olivia) == []
    assert Notification.objects.get(recipient=new).reason == "olivia added you to its owners."
    assert Notification.objects.get(recipient=new).link == "/models/toxicity/"


def test_who_is_taken_off_is_told_without_a_link_to_what_they_do_not_see(model: Model, olivia: User, sam: User):
    remove_owner(actor=actor_of(olivia), model=model, user=sam)
    notification = Notification.objects.get(recipient=sam)
    assert notification.title == "You are no longer an owner of toxicity"
    assert (notification.link, unread_count(sam)) == ("/models/", 1)
    assert told(olivia) == []


def test_coming_and_going_twice_is_told_each_time_and_nothing_where_nothing_changed(model: Model, sam: User):
    for _ in range(2):
        remove_owner(actor=ACTOR, model=model, user=sam)
        remove_owner(actor=ACTOR, model=model, user=sam)
        add_owner(actor=ACTOR, model=model, user=sam)
        add_owner(actor=ACTOR, model=model, user=sam)
    assert len(told(sam)) == 4


def test_creating_a_model_tells_nobody(model: Model, olivia: User):
    assert told(olivia) == []


def test_what_was_told_of_a_deleted_version_goes_with_it(end: End, model: Model, olivia: User, revision: Revision):
    end(S.VERIFIED)
    second = create_revision(actor=ACTOR, user=olivia, model=model, revision=make_revision_input("v2.0.0"))
    fail(second, S.VERIFY_FAILED, ModelStructureError("no"))
    delete_revision(actor=ACTOR, revision=revision)
    assert told(olivia) == [("verifyFailed", "toxicity v2.0.0 failed verification")]
    delete_model(actor=ACTOR, model=model)
    assert told(olivia) == []
