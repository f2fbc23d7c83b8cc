"""Invitations, links for forgotten passwords, and what ends with a person's access."""

from __future__ import annotations

import json
import re
import threading

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from mop.accounts.access_ends import end_sessions
from mop.accounts.links import invite, reset_path, withdraw_invitation
from mop.accounts.models import Invitation, SignIn, User
from mop.accounts.services import actor_of, change_access, remove_member
from mop.accounts.token_services import authenticate_token
from mop.areas.area import Area
from mop.areas.references import Ref
from mop.errors import NotAuthenticatedError
from mop.sources.prefixes import places_of
from mop.sources.purposes import Purpose
from support.areas import also_registered
from support.browsing import client_of, send
from support.factories import ACTOR, PASSWORD, make_team, make_token, make_user

pytestmark = pytest.mark.django_db

departed: list[str] = []


def note_departure(_actor: object, user: User) -> None:
    departed.append(user.username)


def accept(secret: str, name: str = "newcomer", password: str = PASSWORD) -> int:
    form = {"username": name, "password": password, "again": password}
    return send(
        Client(enforce_csrf_checks=True), f"/accounts/invitation/{secret}/", form, form="/accounts/login/"
    ).status_code


def test_an_invitation_makes_one_account_once():
    root, team = make_user("root", is_administrator=True), make_team("Search")
    _, secret = invite(actor=actor_of(root), by=root, email="new@example.com", team=team)
    assert secret not in str(Invitation.objects.values().get())
    assert accept(secret, password="short") == 422
    assert accept(secret, "root") == 422
    assert accept(secret) == 302
    made = User.objects.get(username="newcomer")
    assert (made.email, made.is_administrator, made.teams.get()) == ("new@example.com", False, team)
    assert accept(secret, "another") == 404
    assert not User.objects.filter(username="another").exists()


def test_an_invitation_ends_with_time_its_withdrawal_and_its_makers_role():
    root, other = make_user("root", is_administrator=True), make_user("other", is_administrator=True)
    invitation, old = invite(actor=ACTOR, by=root)
    Invitation.objects.update(expires_at=timezone.now())
    assert accept(old) == 404
    invitation, withdrawn = invite(actor=ACTOR, by=root)
    withdraw_invitation(actor=ACTOR, invitation=invitation)
    assert accept(withdrawn) == 404
    _, of_a_leaver = invite(actor=ACTOR, by=other)
    change_access(actor=ACTOR, user=other, is_active=False, is_administrator=False)
    assert accept(of_a_leaver) == 404


def test_who_chooses_a_name_gets_no_team_that_the_settings_name(settings: Settings):
    """It would read what is kept for a shared team that nobody made yet."""
    teams = ("moderation", "ada")
    settings.MOP_SOURCE_PREFIXES = json.dumps([{"team": team, "purpose": "models", "prefix": "*"} for team in teams])
    _, secret = invite(actor=ACTOR, by=make_user("root", is_administrator=True))
    assert accept(secret, "moderation") == 302
    team = User.objects.get(username="moderation").teams.get()
    assert team.name == "moderation (personal)"
    assert not places_of([team], Purpose.MODELS).everywhere
    remove_member(actor=ACTOR, team=team, user=team.members.get())
    assert {team.name for team in User.objects.get(username="moderation").teams.all()}.isdisjoint({"moderation"})
    assert make_user("ada").teams.get().name == "ada"  # whom the operator adds, and gives a prefix


def test_a_reset_link_works_once_and_ends_sessions():
    user = make_user("olivia")
    signed_in = client_of(user)
    link = reset_path(actor=ACTOR, user=user)
    new = {"password": "another good long one", "again": "another good long one"}
    page = Client(enforce_csrf_checks=True)
    assert page.get(link).status_code == 200
    assert send(page, link, {**new, "again": "different one here"}).status_code == 422
    assert send(page, link, new).status_code == 302
    assert page.get(link).status_code == 404
    assert signed_in.get("/accounts/security/").status_code == 302
    assert Client().login(username="olivia", password="another good long one")


@pytest.mark.django_db(transaction=True)
def test_a_forgotten_password_is_mailed_where_mail_is_on_and_tells_nothing_of_accounts(settings):
    user = make_user("olivia")
    User.objects.filter(pk=user.pk).update(email="olivia@example.com")
    make_user("without")
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert b"sends no e-mail" in Client().get("/accounts/password/reset/").content
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    answers = set()
    for name in ("olivia", "without", "nobody"):
        client = Client(enforce_csrf_checks=True)
        answer = send(client, "/accounts/password/reset/", {"username": name}, form="/accounts/login/")
        answers.add((answer.status_code, answer["Location"]))
    assert answers == {(302, "/accounts/login/")}
    for thread in threading.enumerate():
        if thread.name == "mop-mail":
            thread.join(10)
    (message,) = mail.outbox
    assert message.to == ["olivia@example.com"]
    link = re.search(r"http://\S+", message.body)
    assert link is not None
    assert Client().get(link[0].removeprefix("http://testserver")).status_code == 200


@pytest.mark.parametrize(
    ("addresses", "names", "taken"),
    [
        ([f"192.0.2.{number}" for number in range(1, 8)], ["olivia"], 5),
        (["192.0.2.1"], list("abcdefghijklmnopqrstu"), 20),
    ],
)
def test_links_for_forgotten_passwords_are_not_asked_for_without_end(
    addresses: list[str], names: list[str], taken: int, settings
):
    """Not for one person, from wherever it is asked; not from one address, for whomever."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    statuses = [
        Client().post("/accounts/password/reset/", {"username": name}, REMOTE_ADDR=address).status_code
        for name in names
        for address in addresses
    ]
    assert statuses == [302] * taken + [429] * (len(statuses) - taken)


def test_a_link_is_not_tried_without_end():
    link = reset_path(actor=ACTOR, user=make_user("olivia"))
    weak = {"password": "short", "again": "short"}
    assert [Client().post(link, weak).status_code for _ in range(21)] == [422] * 20 + [429]


def test_keeping_a_person_out_ends_sessions_tokens_and_what_areas_do_for_them_at_once():
    make_user("root", is_administrator=True)
    user = make_user("olivia")
    client, secret = client_of(user), make_token(user)
    assert client.get("/accounts/security/").status_code == 200
    departed.clear()
    with also_registered(Area(name="watcher", departures=(Ref(f"{__name__}:note_departure"),))):
        change_access(actor=ACTOR, user=user, is_active=False, is_administrator=False)
    assert departed == ["olivia"]
    assert not SignIn.objects.filter(user=user).exists()
    change_access(actor=ACTOR, user=user, is_active=True, is_administrator=False)
    assert client.get("/accounts/security/").status_code == 302  # the old session stays ended
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(secret)


def test_losing_the_role_of_administrators_ends_sessions_and_tokens():
    make_user("root", is_administrator=True)
    user = make_user("other", is_administrator=True)
    client, secret = client_of(user), make_token(user)
    change_access(actor=ACTOR, user=user, is_active=True, is_administrator=False)
    assert client.get("/accounts/security/").status_code == 302
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(secret)


def test_a_person_signs_out_elsewhere_and_ends_one_session():
    user = make_user("olivia")
    here, there, third = client_of(user), client_of(user), client_of(user)
    page = here.get("/accounts/security/").content.decode()
    assert page.count("<tr>") == 4
    row = SignIn.objects.get(session_key=third.session.session_key)
    assert send(here, f"/account/sessions/{row.pk}/end/", form="/accounts/security/").status_code == 302
    assert third.get("/accounts/security/").status_code == 302
    assert there.get("/accounts/security/").status_code == 200
    send(here, "/account/sessions/end-others/", form="/accounts/security/")
    assert there.get("/accounts/security/").status_code == 302
    assert here.get("/accounts/security/").status_code == 200


def test_a_signed_out_session_leaves_the_list_and_a_new_password_keeps_this_one():
    user = make_user("olivia")
    client, other = client_of(user), client_of(user)
    change = {"oldpassword": PASSWORD, "password1": "another good long one", "password2": "another good long one"}
    assert send(client, "/accounts/password/change/", change).status_code == 302
    assert client.get("/accounts/security/").status_code == 200
    assert other.get("/accounts/security/").status_code == 302
    assert client.session.session_key in SignIn.objects.values_list("session_key", flat=True)
    send(client, "/accounts/logout/", form="/accounts/security/")
    assert client.session.session_key not in SignIn.objects.values_list("session_key", flat=True)


def test_ending_sessions_keeps_the_one_that_asks():
    user = make_user()
    here, there = client_of(user), client_of(user)
    assert end_sessions(actor=ACTOR, user=user, keep=here.session.session_key) == 1
    assert there.get("/accounts/security/").status_code == 302
