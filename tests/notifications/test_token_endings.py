"""Owners of access tokens are told before they expire."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from mop.accounts.models import PersonalAccessToken, User
from mop.accounts.services import actor_of
from mop.accounts.token_services import create_token, revoke_token, rotate_token
from mop.notifications.kinds import Kind
from mop.notifications.models import Email, Notification, Preference
from mop.notifications.token_endings import tell_endings
from support.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture
def user() -> User:
    return make_user("olivia")


def token_of(user: User, name: str, *, given: float, left: float) -> PersonalAccessToken:
    """A token that was given for so many days, of which so many are left."""
    token, _ = create_token(actor=actor_of(user), user=user, name=name, days=90)
    ends = timezone.now() + dt.timedelta(days=left)
    PersonalAccessToken.objects.filter(pk=token.pk).update(expires_at=ends, created_at=ends - dt.timedelta(days=given))
    token.refresh_from_db()
    return token


def told() -> list[str]:
    return list(Notification.objects.filter(kind=Kind.TOKEN_EXPIRES).order_by("pk").values_list("title", flat=True))


def test_owners_are_told_once_a_week_ahead(user: User):
    token_of(user, "build server", given=90, left=6.9)
    token_of(user, "later", given=90, left=7.1)
    assert tell_endings() == 1
    assert tell_endings() == 0
    assert told() == ["The access token build server expires in 7 days"]
    (news,) = Notification.objects.filter(recipient=user, kind=Kind.TOKEN_EXPIRES)
    assert news.link == "/account/tokens/"
    assert "mop_" not in f"{news.title} {news.reason} {news.hint}"


def test_short_ones_a_day_ahead_and_very_short_ones_not(user: User):
    token_of(user, "of ten days", given=10, left=2)
    token_of(user, "of two days", given=2, left=0.5)
    assert tell_endings() == 0
    token_of(user, "of nine days", given=9, left=0.9)
    assert tell_endings() == 1
    assert told() == ["The access token of nine days expires in 22 hours"]


def test_not_of_what_ended_or_was_replaced_or_of_people_who_are_kept_out(user: User):
    revoke_token(actor=actor_of(user), token=token_of(user, "revoked", given=90, left=3))
    token_of(user, "expired", given=90, left=-1)
    rotate_token(actor=actor_of(user), token=token_of(user, "replaced", given=90, left=5), days=90, overlap_hours=48)
    other = make_user("sam")
    token_of(other, "of sam", given=90, left=3)
    User.objects.filter(pk=other.pk).update(is_active=False)
    assert tell_endings() == 0


def test_it_can_be_switched_off_and_goes_by_e_mail_too(user: User):
    User.objects.filter(pk=user.pk).update(email="olivia@example.com")
    token_of(user, "one", given=90, left=3)
    assert tell_endings() == 1
    assert Email.objects.filter(notification__kind=Kind.TOKEN_EXPIRES).count() == 1
    Preference.objects.create(user=user, kind=Kind.TOKEN_EXPIRES, in_portal=False, by_email=False)
    token_of(user, "two", given=90, left=3)
    assert tell_endings() == 0
    assert len(told()) == 1
