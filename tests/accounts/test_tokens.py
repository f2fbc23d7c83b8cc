from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from mop.accounts.models import PersonalAccessToken, User
from mop.accounts.selectors import get_token, tokens_of
from mop.accounts.services import authenticate_token, create_token, revoke_token
from mop.errors import NotAuthenticatedError, NotFoundError, ValidationFailedError
from support.factories import ACTOR, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def make(user: User, **fields: object) -> tuple[PersonalAccessToken, str]:
    return create_token(actor=ACTOR, user=user, **({"name": "ci"} | fields))


def test_the_secret_is_stored_nowhere():
    token, secret = make(make_user())
    row = PersonalAccessToken.objects.values().get()
    assert secret.startswith("mop_")
    assert len(secret) > 40
    assert all(secret not in str(value) for value in row.values())
    assert authenticate_token(secret) == token


def test_it_expires():
    token, secret = make(make_user(), days=1)
    assert token.expires_at - timezone.now() <= dt.timedelta(days=1)
    PersonalAccessToken.objects.update(expires_at=timezone.now())
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(secret)


def test_it_is_revoked_once_and_for_good():
    token, secret = make(make_user())
    revoke_token(actor=ACTOR, token=token)
    first = token.revoked_at
    revoke_token(actor=ACTOR, token=token)
    assert token.revoked_at == first
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(secret)


def test_it_ends_with_its_users_access():
    user = make_user()
    _, secret = make(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(secret)


@pytest.mark.parametrize("secret", ["", "mop_", "mop_guess", "x" * 5000])
def test_what_is_unknown_is_refused(secret: str):
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(secret)


@pytest.mark.parametrize(
    ("field", "value"),
    [("days", 0), ("days", 367), ("days", -1), ("scope", "admin"), ("name", ""), ("name", "x" * 101)],
)
def test_its_life_scope_and_name_obey_rules(field: str, value: object):
    with pytest.raises(ValidationFailedError) as caught:
        make(make_user(), **{field: value})
    assert list(caught.value.fields) == [field]


def test_the_last_use_is_kept_to_the_minute():
    _, secret = make(make_user())
    authenticate_token(secret)
    first = PersonalAccessToken.objects.get().last_used_at
    authenticate_token(secret)
    assert PersonalAccessToken.objects.get().last_used_at == first
    PersonalAccessToken.objects.update(last_used_at=timezone.now() - dt.timedelta(minutes=2))
    authenticate_token(secret)
    assert PersonalAccessToken.objects.get().last_used_at > first


def test_tokens_of_others_are_not_found():
    token, _ = make(make_user())
    other = make_user()
    assert list(tokens_of(other)) == []
    with pytest.raises(NotFoundError):
        get_token(other, token.pk)
