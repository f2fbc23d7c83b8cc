"""People, invitations and sessions by the API."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from mop.accounts.models import Invitation, SignIn, User
from mop.audit.models import AuditEvent
from mop.registry.group_models import GROUP_NAME_MAX, GroupShare, ModelGroup
from mop.registry.groups import create_group, list_group, share_group, visible_groups
from mop.registry.models import Model
from support.api import Api
from support.browsing import client_of, form_token
from support.factories import ACTOR, make_model, make_task, make_team, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    return make_user("root", is_administrator=True)


@pytest.fixture
def api(root: User) -> Api:
    return Api(token=make_token(root))


def limited(root: User) -> Api:
    return Api(token=make_token(root, scopes=("administration:write",)))


def test_people_are_listed_by_name_page_by_page(api: Api):
    for name in ("ada", "bob"):
        make_user(name)
    first = api.get("/users", limit=2).json()
    assert [one["username"] for one in first["items"]] == ["ada", "bob"]
    rest = api.get("/users", limit=2, cursor=first["next"]).json()
    assert [one["username"] for one in rest["items"]] == ["root"]
    assert [one["username"] for one in api.get("/users", which="administrators").json()["items"]] == ["root"]
    assert [one["username"] for one in api.get("/users", search="AD").json()["items"]] == ["ada"]
    assert api.get("/users", which="nobody").status_code == 422


def test_one_person_with_what_they_own_and_what_lets_them_in(api: Api):
    team = make_team("Search")
    user = make_user("olivia", teams=(team,))
    model = make_model("toxicity", owner=user, team=team)
    SignIn.objects.create(user=user, session_key="x", address="203.0.113.9", browser="Firefox")
    make_token(user)
    shown = api.get("/users/olivia").json()
    assert "Search" in shown["teams"]
    assert (shown["signs_in_by"], shown["session_count"], shown["token_count"]) == ("password", 1, 1)
    assert {"label": "Models", "things": [{"name": model.name, "page": "/models/toxicity/"}]} in shown["belongings"]
    sessions = api.get("/users/olivia/sessions").json()
    assert [(one["address"], one["browser"]) for one in sessions] == [("203.0.113.9", "Firefox")]
    assert api.get("/users/nobody").status_code == 404


def test_keeping_out_letting_in_and_roles(api: Api, root: User):
    user = make_user("olivia")
    own = Api(token=make_token(user))
    assert api.patch("/users/olivia", {"is_active": False}).json()["is_active"] is False
    assert own.get("/me").status_code == 401
    assert api.patch("/users/olivia", {"is_active": True, "is_administrator": True}).json()["is_administrator"] is True
    assert api.patch("/users/olivia", {}).json()["is_active"] is True
    assert api.patch("/users/olivia", {"is_administrator": False}).status_code == 200
    refused = api.patch("/users/root", {"is_active": False})
    assert (refused.status_code, refused.json()["message"]) == (409, "root is the last administrator.")
    assert User.objects.get(pk=root.pk).is_administrator


def test_a_token_with_less_gives_no_access_without_limits(root: User):
    make_user("olivia")
    api = limited(root)
    for answer in (
        api.patch("/users/olivia", {"is_administrator": True}),
        api.post("/users/olivia/reset-link"),
        api.delete("/users/olivia/second-factors"),
        api.post("/invitations", {"is_administrator": True}),
    ):
        assert answer.status_code == 403
        assert "all:write" in answer.json()["message"]
    assert not User.objects.get(username="olivia").is_superuser
    assert Invitation.objects.count() == 0
    assert api.patch("/users/olivia", {"is_active": False}).status_code == 200
    assert api.post("/invitations", {}).status_code == 201


def test_invitations_are_made_listed_and_withdrawn(api: Api):
    made = api.post("/invitations", {"email": "new@example.com", "team": make_team("Search").name})
    assert made.status_code == 201
    body = made.json()
    assert (body["team"], body["created_by"], body["is_mailed"]) == ("Search", "root", True)
    path = body["link"].removeprefix("http://testserver")
    assert Client().get(path).status_code == 200
    listed = api.get("/invitations").json()
    assert [one["id"] for one in listed] == [body["id"]]
    assert "link" not in listed[0]
    assert api.delete(f"/invitations/{body['id']}").status_code == 204
    assert Client().get(path).status_code == 404
    assert api.get("/invitations").json() == []
    assert api.delete("/invitations/999").status_code == 404
    assert set(api.post("/invitations", {"team": "nowhere"}).json()["fields"]) == {"team"}
    assert set(api.post("/invitations", {"email": "no address"}).json()["fields"]) == {"email"}


def test_a_reset_link_works_once(api: Api):
    make_user("olivia")
    made = api.post("/users/olivia/reset-link").json()
    assert re.fullmatch(r"http://testserver/accounts/password/reset/[^/]+/[^/]+/", made["link"])
    path = made["link"].removeprefix("http://testserver")
    assert Client().get(path).status_code == 200
    api.patch("/users/olivia", {"is_active": False})
    assert api.post("/users/olivia/reset-link").status_code == 409


def test_sessions_tokens_and_second_factors_end(api: Api):
    user = make_user("olivia")
    own = Api(token=make_token(user))
    SignIn.objects.create(user=user, session_key="x")
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    assert api.get("/users/olivia").json()["second_factors"] == ["TOTP Authenticator"]
    assert api.delete("/users/olivia/second-factors").status_code == 204
    assert api.get("/users/olivia").json()["second_factors"] == []
    assert api.delete("/users/olivia/access").status_code == 204
    assert own.get("/me").status_code == 401
    assert api.get("/users/olivia").json()["session_count"] == 0


def test_what_a_leaver_owned_gets_another_owner(api: Api):
    leaver, other = make_user("leaver"), make_user("other")
    model, task = make_model(owner=leaver), make_task(owners=[leaver])
    api.patch("/users/leaver", {"is_active": False})
    assert api.post("/users/leaver/reassign", {"to": "other"}).json() == {"things": 2}
    assert list(Model.objects.get(pk=model.pk).owners.all()) == [other]
    assert list(task.owners.all()) == [other]
    for to in ("nobody", "leaver"):
        assert set(api.post("/users/leaver/reassign", {"to": to}).json()["fields"]) == {"to"}
    assert AuditEvent.objects.filter(action="user.reassigned", object_id=str(leaver.pk)).count() == 1


def test_shared_groups_of_a_leaver_are_told_apart_and_stand_in_the_list_of_their_new_owner(api: Api):
    leaver, other, reader = make_user("leaver"), make_user("other"), make_user()
    long = "x" * GROUP_NAME_MAX
    for owner, name in ((other, long), (other, "Candidates"), (other, "Candidates of leaver"), (leaver, long)):
        create_group(actor=ACTOR, user=owner, name=name)
    mine = create_group(actor=ACTOR, user=leaver, name="Candidates")
    for group in ModelGroup.objects.filter(owner=leaver):
        for user in (reader, other):
            share_group(actor=ACTOR, group=group, user=user)
    list_group(user=other, group=mine, is_listed=False)
    assert api.post("/users/leaver/reassign", {"to": "other"}).json() == {"things": 2}
    names = list(ModelGroup.objects.filter(owner=other).values_list("name", flat=True))
    assert {"Candidates (2)", f"{'x' * (GROUP_NAME_MAX - 10)} of leaver"} < {*names}
    assert {group.is_listed for group in visible_groups(other)} == {True}
    assert {share.user for share in GroupShare.objects.all()} == {reader}


def test_one_s_own_sessions(root: User):
    user = make_user("olivia")
    api = Api(token=make_token(user))
    rows = [SignIn.objects.create(user=user, session_key=f"key {number}") for number in range(3)]
    SignIn.objects.create(user=root, session_key="another")
    assert {one["id"] for one in api.get("/sessions").json()} == {row.pk for row in rows}
    assert api.delete(f"/sessions/{rows[0].pk}").status_code == 204
    assert api.delete(f"/sessions/{rows[0].pk}").status_code == 404
    assert api.delete("/sessions").json() == {"ended": 2}
    assert SignIn.objects.filter(user=root).exists()


def test_a_session_that_ends_the_others_stays():
    user = make_user("olivia")
    client = client_of(user)
    assert client.get("/account/").status_code == 200
    SignIn.objects.create(user=user, session_key="elsewhere")
    token = form_token(client, "/account/tokens/")
    answer = client.delete("/api/v1/sessions", headers={"X-CSRFToken": token})
    assert answer.json() == {"ended": 1}
    assert client.get("/account/").status_code == 200
