from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from mop.accounts.models import PersonalAccessToken
from mop.audit.models import AuditEvent
from support.api import Api
from support.factories import PASSWORD, make_model, make_token, make_user

pytestmark = pytest.mark.django_db


def test_me_tells_user_teams_and_scopes():
    user = make_user("ada")
    assert Api(token=make_token(user, scope="read")).get("/me").json() == {
        "username": "ada",
        "is_administrator": False,
        "teams": ["ada"],
        "scopes": ["all:read"],
    }


@pytest.mark.parametrize("header", ["Bearer mop_wrong", "Bearer ", "Bearer", "Basic YTpi", "mop_wrong"])
def test_a_wrong_header_is_401_and_says_how_to_sign_in(header: str):
    answer = Client().get("/api/v1/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="MOP"'
    assert answer.json()["name"] == "NotAuthenticatedError"


def test_a_wrong_token_does_not_fall_back_to_the_session(client: Client):
    client.force_login(make_user())
    assert client.get("/api/v1/me", headers={"Authorization": "Bearer mop_wrong"}).status_code == 401


def test_an_expired_token_is_refused():
    token = make_token(make_user())
    PersonalAccessToken.objects.update(expires_at=timezone.now())
    assert Api(token=token).get("/me").status_code == 401


@pytest.mark.parametrize(("method", "access"), [("get", "Read"), ("post", "Read and write")])
def test_what_a_token_lacks_is_named_as_on_the_page_that_makes_tokens(method: str, access: str):
    api = Api(token=make_token(make_user(), scopes=("groups:read",)))
    refused = api.get("/models") if method == "get" else api.post("/models", {})
    assert refused.status_code == 403
    assert refused.json()["hint"] == f"Create a token with the access '{access}' to 'Models', and use that."


def test_a_session_writes_only_with_the_csrf_token():
    user = make_user()
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert Api(client=client).get("/me").status_code == 200
    refused = Api(client=client).post("/tokens", {"name": "ci"})
    assert (refused.status_code, refused.json()["name"]) == (403, "NotAllowedError")
    client.get("/account/tokens/")
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    answer = client.post("/api/v1/tokens", {"name": "ci"}, content_type="application/json", headers=headers)
    assert answer.status_code == 201


def test_a_token_needs_no_csrf_token():
    api = Api(token=make_token(make_user()), client=Client(enforce_csrf_checks=True))
    assert api.post("/models", {}).status_code == 422


def test_a_tokens_secret_is_shown_once(client: Client):
    client.login(username=make_user().username, password=PASSWORD)
    api = Api(client=client)
    created = api.post("/tokens", {"name": "ci", "scopes": ["models:read"], "days": 7}).json()
    assert Api(token=created["secret"]).get("/me").json()["scopes"] == ["models:read"]
    (listed,) = api.get("/tokens").json()
    assert listed["prefix"] == created["secret"][:8]
    assert "secret" not in listed
    assert api.delete(f"/tokens/{created['id']}").status_code == 204
    assert Api(token=created["secret"]).get("/me").status_code == 401


def test_what_is_done_is_recorded_with_name_and_address():
    model = make_model()
    api = Api(token=make_token(model.created_by))
    api.patch(f"/models/{model.name}", {"description": "new"})
    event = AuditEvent.objects.get(action="model.description_changed")
    assert (event.actor_id, event.actor_label) == (str(model.created_by.pk), model.created_by.username)
    assert event.address == "127.0.0.1"
