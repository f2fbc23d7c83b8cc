from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from mop.accounts.models import PersonalAccessToken, User
from mop.accounts.selectors import get_token, tokens_of
from mop.accounts.token_services import authenticate_token, create_token, revoke_token, rotate_token
from mop.areas.scopes import KNOWN_SCOPES, covers, normalised
from mop.errors import NotAllowedError, NotAuthenticatedError, NotFoundError, ValidationFailedError
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
    [
        ("days", 0),
        ("days", 367),
        ("days", -1),
        ("scopes", ["admin"]),
        ("scopes", []),
        ("name", ""),
        ("name", "x" * 101),
    ],
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


def test_write_includes_read_and_all_includes_every_area():
    assert covers(["models:write"], "models:read")
    assert not covers(["models:read"], "models:write")
    assert not covers(["models:write"], "datasets:read")
    assert all(covers(["all:write"], scope) for scope in KNOWN_SCOPES)
    assert not covers(["all:read"], "dsat:write")
    assert covers([], "")


def test_scopes_are_kept_in_the_fewest_words():
    assert normalised(["models:read", "models:write", "dsat:read"]) == ["models:write", "dsat:read"]
    assert normalised(["all:read", "groups:write", "groups:read", "tasks:read"]) == ["all:read", "groups:write"]
    assert normalised(["tasks:read", "models:read", "models:read"]) == ["models:read", "tasks:read"]


def test_a_token_gives_no_scope_that_it_lacks_and_none_that_outlives_it():
    user = make_user()
    parent, _ = make(user, scopes=["account:write", "models:read"], days=3)
    child, secret = make(user, scopes=["models:read"], days=300, made_by=parent)
    assert child.expires_at == parent.expires_at
    with pytest.raises(NotAllowedError, match="models:write"):
        make(user, scopes=["models:write"], made_by=parent)
    grandchild, last = make(user, scopes=["models:read"], made_by=child)
    revoke_token(actor=ACTOR, token=parent)
    for ended in (secret, last):
        with pytest.raises(NotAuthenticatedError):
            authenticate_token(ended)
    assert grandchild.expires_at == parent.expires_at


def test_rotation_ends_the_old_secret_and_keeps_name_and_scopes():
    user = make_user()
    old, before = make(user, scopes=["models:write"], days=10)
    child, _ = make(user, scopes=["models:read"], made_by=old)
    fresh, after = rotate_token(actor=ACTOR, token=old)
    assert (fresh.name, fresh.scopes) == (old.name, ["models:write"])
    assert dt.timedelta(days=9) < fresh.expires_at - timezone.now() <= dt.timedelta(days=10)
    assert authenticate_token(after) == fresh
    child.refresh_from_db()
    assert child.made_by == fresh
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(before)
    with pytest.raises(ValidationFailedError, match="has ended"):
        rotate_token(actor=ACTOR, token=old)


def test_rotation_may_let_the_old_secret_work_a_little_longer():
    old, before = make(make_user(), days=10)
    rotate_token(actor=ACTOR, token=old, overlap_hours=1)
    kept = authenticate_token(before)
    assert kept.expires_at - timezone.now() <= dt.timedelta(hours=1)


def test_a_token_that_rotates_itself_does_not_lengthen_its_life():
    old, _ = make(make_user(), days=10)
    fresh, _ = rotate_token(actor=ACTOR, token=old, days=300, by=old)
    assert fresh.expires_at == old.expires_at
