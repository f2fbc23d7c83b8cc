"""Who a person of a provider is, and how long their tokens work."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.utils import timezone

from mop.accounts.adapter import check_nonce
from mop.accounts.models import User
from mop.accounts.oidc_provider import UID_MAX, uid_of
from mop.accounts.services import create_user
from mop.accounts.single_sign_on import person_of
from mop.accounts.token_services import authenticate_token
from mop.areas.area import Area
from mop.areas.references import Ref
from mop.conf.options import OPTIONS, read_option
from mop.errors import NotAuthenticatedError, SignInRefusedError
from support.areas import also_registered
from support.factories import ACTOR, make_token, make_user

ISSUER = "https://login.example.com"


def test_a_person_is_keyed_by_issuer_and_subject():
    claims = {"iss": ISSUER, "sub": "17", "email": "olivia@example.com"}
    assert uid_of({"id_token": claims}) == f"{ISSUER} 17"
    assert uid_of({"id_token": {**claims, "email": "other@example.com"}}) == f"{ISSUER} 17"
    assert uid_of({"id_token": {**claims, "iss": "https://other.example.com"}}) != f"{ISSUER} 17"
    long = uid_of({"id_token": {**claims, "sub": "x" * 250}})
    assert len(long) <= UID_MAX
    assert long != uid_of({"id_token": {**claims, "sub": "x" * 249}})


def test_a_person_of_entra_id_is_keyed_by_tenant_and_object():
    """Its subjects differ from one registered application to the next."""
    claims = {"iss": f"{ISSUER}/t-1/v2.0", "sub": "per application", "tid": "t-1", "oid": "o-1"}
    assert uid_of({"id_token": claims}) == uid_of({"id_token": {**claims, "sub": "another"}}) == "entra t-1 o-1"
    other = {**claims, "tid": "t-2", "iss": f"{ISSUER}/t-2/v2.0"}
    assert uid_of({"id_token": other}) == "entra t-2 o-1"


def test_tenant_and_object_of_a_provider_that_is_not_entra_id_key_nobody():
    """People may write claims about themselves there: they would choose whose account they get."""
    claims = {"iss": ISSUER, "sub": "17", "tid": "t-1", "oid": "o-1"}
    assert uid_of({"id_token": claims}) == f"{ISSUER} 17"
    assert uid_of({"id_token": {**claims, "iss": f"{ISSUER}/t-10/v2.0"}}) == f"{ISSUER}/t-10/v2.0 17"


@pytest.mark.parametrize(
    "data",
    [
        {"userinfo": {"sub": "17"}},
        {"id_token": {"iss": ISSUER}},
        {"id_token": {"iss": ISSUER, "sub": "17"}, "userinfo": {"sub": "18", "roles": ["mop.admin"]}},
    ],
)
def test_an_answer_without_a_subject_or_about_two_is_refused(data: dict[str, object]):
    with pytest.raises(OAuth2Error):
        uid_of(data)


@pytest.mark.django_db
def test_tokens_of_a_person_of_the_provider_work_for_some_days_after_a_sign_in():
    user = create_user(actor=ACTOR, username="olivia", password=None)
    SocialAccount.objects.create(user=user, provider="oidc", uid=f"{ISSUER} 17")
    secret = make_token(user)
    with pytest.raises(NotAuthenticatedError, match="signs in"):
        authenticate_token(secret)
    days = settings.MOP_TOKEN_SIGN_IN_DAYS
    User.objects.update(last_login=timezone.now() - dt.timedelta(days=days, seconds=-60))
    assert authenticate_token(secret).user == user
    User.objects.update(last_login=timezone.now() - dt.timedelta(days=days, seconds=60))
    with pytest.raises(NotAuthenticatedError, match="signs in"):
        authenticate_token(secret)


@pytest.mark.django_db
def test_tokens_of_local_people_and_of_scripts_work_without_a_sign_in():
    for user in (make_user(), create_user(actor=ACTOR, username="script", password=None)):
        assert authenticate_token(make_token(user)).user == user


OPTION = next(one for one in OPTIONS if one.name == "MOP_OIDC_ISSUER")


@pytest.mark.parametrize(
    "text",
    [
        "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
        "http://127.0.0.1:3000",
        "https://accounts.example.com/",
    ],
)
def test_an_issuer_is_taken_as_the_provider_writes_it(text: str):
    assert read_option(OPTION, {OPTION.name: text}, {})[0] == text


@pytest.mark.parametrize(
    "text",
    [
        "https://login.microsoftonline.com/common/v2.0",
        "https://login.microsoftonline.com/organizations/v2.0",
        "http://login.example.com",
        "login.example.com",
    ],
)
def test_an_issuer_of_many_tenants_or_without_https_is_refused(text: str):
    with pytest.raises(ValueError, match=r"one tenant|https"):
        read_option(OPTION, {OPTION.name: text}, {})


def test_teams_are_pairs():
    option = next(one for one in OPTIONS if one.name == "MOP_OIDC_TEAMS")
    assert read_option(option, {option.name: "g-1=Moderation, g-2 = Search"}, {})[0] == {
        "g-1": "Moderation",
        "g-2": "Search",
    }
    with pytest.raises(ValueError, match="value=team"):
        read_option(option, {option.name: "g-1"}, {})


@pytest.mark.parametrize(("answered", "asked"), [("a", "b"), ("", "b"), ("a", ""), ("", "")])
def test_an_answer_with_another_nonce_is_refused(answered: str, asked: str):
    login = SimpleNamespace(account=SimpleNamespace(extra_data={"id_token": {"nonce": answered}}))
    login.state = {"nonce": asked} if asked else {}
    with pytest.raises(SignInRefusedError, match="does not belong"):
        check_nonce(login)


left: list[str] = []


def note_departure(_actor: object, user: User) -> None:
    left.append(user.username)


def account_of(username: str, **claims: object) -> SocialAccount:
    """A person of the provider, and what it says of them at a sign-in."""
    user = create_user(actor=ACTOR, username=username, password=None)
    token = {"iss": ISSUER, "sub": username, **claims}
    return SocialAccount.objects.create(
        user=user, provider="oidc", uid=f"{ISSUER} {username}", extra_data={"id_token": token}
    )


@pytest.mark.django_db
def test_who_loses_the_role_leaves_as_if_they_were_kept_out(settings: Any):
    """So what areas do in their name, such as webhooks, ends with sessions and tokens."""
    settings.MOP_OIDC_USER_ROLE = "mop.user"
    account = account_of("olivia", roles=["another"])
    secret = make_token(account.user)
    left.clear()
    watcher = Area(name="watcher", departures=(Ref(f"{__name__}:note_departure"),))
    with also_registered(watcher), pytest.raises(SignInRefusedError):
        person_of(account, address="192.0.2.1")
    assert left == ["olivia"]
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(secret)


@pytest.mark.django_db
def test_who_is_kept_out_while_they_sign_in_stays_out(settings: Any):
    settings.MOP_OIDC_ADMINISTRATOR_ROLE = "mop.admin"
    account = account_of("olivia", roles=["mop.admin"])
    User.objects.update(is_active=False)  # after the account was read
    person_of(account, address="192.0.2.1")
    assert User.objects.values_list("is_active", "is_superuser").get() == (False, False)


@pytest.mark.django_db
def test_nobody_is_put_into_the_personal_team_of_somebody_who_took_a_team_s_name(settings: Any):
    settings.MOP_OIDC_TEAMS, settings.MOP_OIDC_TEAMS_CLAIM = {"g-1": "Security"}, "groups"
    clever = make_user("Security")
    person_of(account_of("olivia", groups=["g-1"]), address="192.0.2.1")
    assert list(clever.teams.get(name="Security").members.all()) == [clever]
