"""A notification is its reader's alone, and only as long as they answer for what it tells of."""

from __future__ import annotations

import pytest

from mop.accounts.models import User
from mop.errors import DiskFullError, ModelStructureError, NotFoundError, ValidationFailedError
from mop.notifications import kinds
from mop.notifications.alerts import raise_alert
from mop.notifications.models import Email, Notification
from mop.notifications.selectors import (
    choices_of,
    get_notification,
    kinds_for,
    unread_count,
    visible_notifications,
)
from mop.notifications.services import News, mark_all_read, mark_read, notify, set_preferences
from mop.registry.kinds import Kind
from mop.registry.models import Model
from mop.registry.services import add_owner, remove_owner
from mop.registry.statuses import RevisionStatus
from support.factories import ACTOR, make_user, publish

from .conftest import End


def news(event: str, kind: Kind = Kind.VERIFIED) -> News:
    return News(kind=kind, event=event, title=event, reason="because", link="/models/")


def titles(user: User) -> list[str]:
    return [row.title for row in visible_notifications(user).order_by("pk")]


def test_nobody_sees_another_s(end: End, olivia: User, sam: User):
    end(RevisionStatus.VERIFIED)
    theirs = Notification.objects.get(recipient=sam)
    with pytest.raises(NotFoundError):
        get_notification(olivia, theirs.pk)
    with pytest.raises(NotFoundError):
        get_notification(make_user(is_administrator=True), theirs.pk)
    assert get_notification(sam, theirs.pk) == theirs


@pytest.mark.parametrize("seen_by", ["owners", "everybody"])
def test_who_is_no_owner_any_more_sees_no_text_of_the_model(
    end: End, model: Model, olivia: User, sam: User, seen_by: str
):
    end(RevisionStatus.VERIFY_FAILED, error=ModelStructureError("secret path"))
    if seen_by == "everybody":
        publish(model)  # others see the model then, but not why an owner was called
    mine = Notification.objects.get(recipient=sam)
    assert titles(sam) == ["toxicity v1.0.0 failed verification"]
    remove_owner(actor=ACTOR, model=model, user=sam)
    assert titles(sam) == ["You are no longer an owner of toxicity"]
    assert unread_count(sam) == 1
    with pytest.raises(NotFoundError):
        get_notification(sam, mine.pk)
    assert titles(olivia) == ["toxicity v1.0.0 failed verification", "sam is no longer an owner of toxicity"]
    add_owner(actor=ACTOR, model=model, user=sam)
    assert "toxicity v1.0.0 failed verification" in titles(sam)


def test_alerts_are_seen_by_who_is_administrator_now(db: None):
    root, second = make_user("root", is_administrator=True), make_user("second", is_administrator=True)
    raise_alert(actor=ACTOR, fault=DiskFullError("no room"))
    assert (unread_count(root), unread_count(second)) == (1, 1)
    second.is_superuser = False
    second.save()
    assert titles(second) == []


def test_reading_is_noted_once(olivia: User):
    notify(actor=ACTOR, people=[olivia], news=news("one"))
    row = Notification.objects.get()
    mark_read(notification=row)
    first = Notification.objects.get().read_at
    mark_read(notification=row)
    assert first == Notification.objects.get().read_at
    assert unread_count(olivia) == 0


def test_reading_all_leaves_what_came_since_and_what_is_another_s(olivia: User, sam: User):
    for event in ("one", "two", "three"):
        notify(actor=ACTOR, people=[olivia, sam], news=news(event))
    two = Notification.objects.get(recipient=olivia, event="two")
    assert mark_all_read(user=olivia, up_to=two.pk) == 2
    assert mark_all_read(user=olivia, up_to=two.pk) == 0
    assert (unread_count(olivia), unread_count(sam)) == (1, 3)


def test_the_same_event_is_told_once_to_each_person(olivia: User, sam: User):
    assert notify(actor=ACTOR, people=[olivia], news=news("one")) == 1
    assert notify(actor=ACTOR, people=[olivia, sam], news=news("one")) == 1
    assert Notification.objects.count() == 2


def test_people_choose_by_kind_and_place(olivia: User):
    wanted = {Kind.VERIFIED: (False, False), Kind.VERIFY_FAILED: (True, False), Kind.CANCELLED: (False, True)}
    set_preferences(actor=ACTOR, user=olivia, email="olivia@example.org", wanted=wanted)
    for kind in (*wanted, Kind.VULNERABLE):
        notify(actor=ACTOR, people=[olivia], news=news(kind.value, kind))
    assert titles(olivia) == ["verifyFailed", "vulnerable"]
    assert sorted(Email.objects.values_list("notification__title", flat=True)) == ["cancelled", "vulnerable"]
    assert unread_count(olivia) == 2


def test_without_an_address_there_is_no_e_mail_and_who_wants_only_that_is_told_nothing(olivia: User):
    set_preferences(actor=ACTOR, user=olivia, email="", wanted={Kind.CANCELLED: (False, True)})
    assert notify(actor=ACTOR, people=[olivia], news=news("one", Kind.CANCELLED)) == 0
    assert notify(actor=ACTOR, people=[olivia], news=news("two")) == 1
    assert not Email.objects.exists()


def test_only_administrators_choose_about_alerts(olivia: User):
    assert kinds.Kind.ALERT not in kinds_for(olivia)
    assert set(choices_of(make_user(is_administrator=True))) == set(kinds.all_kinds())


@pytest.mark.parametrize(
    "address", ["olivia", "a@b", "x@example.org\nBcc: all@example.org", f"{'a' * 250}@example.org"]
)
def test_what_is_no_address_is_refused_and_nothing_is_kept(olivia: User, address: str):
    with pytest.raises(ValidationFailedError) as caught:
        set_preferences(actor=ACTOR, user=olivia, email=address, wanted={Kind.VERIFIED: (False, False)})
    assert "email" in caught.value.fields
    olivia.refresh_from_db()
    assert olivia.email == ""
    assert choices_of(olivia)[Kind.VERIFIED].in_portal
