"""Idempotency keys: what is sent again is answered again, and created once."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonschema_rs
import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from mop.accounts.models import User
from mop.api.api import api as ninja
from mop.api.examples import EXAMPLES
from mop.api.models import IdempotentAnswer
from mop.api.services import forget_old
from mop.notifications.models import Webhook
from mop.registry.group_models import ModelGroup
from support.factories import make_token, make_user

pytestmark = pytest.mark.django_db


class Caller:
    def __init__(self, name: str) -> None:
        self.headers = {"Authorization": f"Bearer {make_token(make_user(name))}"}

    def post(self, path: str, body: Any, key: str | None = None) -> HttpResponse:
        headers = self.headers | ({"Idempotency-Key": key} if key is not None else {})
        return Client().post(f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=headers)


@pytest.fixture
def ada(db: None) -> Caller:
    return Caller("ada")


@pytest.mark.dialect
def test_the_same_key_and_body_create_once_and_are_answered_alike(ada: Caller):
    key = str(uuid.uuid4())
    first, second = (ada.post("/groups", {"name": "a"}, key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert ModelGroup.objects.filter(name="a").count() == 1


def test_an_answer_with_a_secret_is_given_to_no_other_token_of_the_same_person(ada: Caller):
    asked = {"name": "deploy", "scopes": ["all:write"]}
    assert ada.post("/tokens", asked, "k1").json()["secret"].startswith("mop_")
    other = Caller.__new__(Caller)
    token = make_token(User.objects.get(username="ada"), scopes=("account:write",))
    other.headers = {"Authorization": f"Bearer {token}"}
    refused = other.post("/tokens", asked, "k1")
    assert (refused.status_code, refused.json()["name"]) == (422, "IdempotencyKeyReusedError")


def test_another_body_or_address_under_a_used_key_is_refused(ada: Caller):
    ada.post("/groups", {"name": "a"}, "k1")
    for answer in (ada.post("/groups", {"name": "b"}, "k1"), ada.post("/webhooks", {"name": "a"}, "k1")):
        assert answer.status_code == 422
    assert ada.post("/groups", {"name": "b"}, "k1").json()["name"] == "IdempotencyKeyReusedError"
    assert not ModelGroup.objects.filter(name="b").exists()


def test_two_people_may_use_one_key(ada: Caller):
    assert ada.post("/groups", {"name": "a"}, "k1").status_code == 201
    assert Caller("bob").post("/groups", {"name": "b"}, "k1").status_code == 201


def test_what_was_refused_is_tried_anew(ada: Caller):
    assert ada.post("/groups", {"name": ""}, "k1").status_code == 422
    assert ada.post("/groups", {"name": "a"}, "k1").status_code == 201


def test_a_secret_is_given_again_and_kept_sealed(ada: Caller):
    body = {"url": "https://hooks.example/"}
    first, second = (ada.post("/webhooks", body, "k1").json() for _ in range(2))
    assert first["secret"] == second["secret"]
    assert first["secret"] not in IdempotentAnswer.objects.get().body
    assert Webhook.objects.count() == 1


def test_keys_hold_for_a_day(ada: Caller):
    ada.post("/groups", {"name": "a"}, "k1")
    IdempotentAnswer.objects.update(created_at=timezone.now() - dt.timedelta(hours=25))
    assert ada.post("/groups", {"name": "b"}, "k1").status_code == 201
    IdempotentAnswer.objects.update(created_at=timezone.now() - dt.timedelta(hours=25))
    assert forget_old() == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_a_key_that_is_none_is_refused(ada: Caller, key: str):
    answer = ada.post("/groups", {"name": "a"}, key)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["fields"]


def test_a_reader_s_token_gets_no_answer_under_the_key_of_its_user(ada: Caller):
    assert ada.post("/groups", {"name": "a"}, "k1").status_code == 201
    ada.headers = {"Authorization": "Bearer mop_wrong"}
    assert ada.post("/groups", {"name": "a"}, "k1").status_code == 401


@pytest.mark.dialect
@pytest.mark.django_db(transaction=True)
def test_calls_at_the_same_time_create_once():
    ada = Caller("ada")

    def send(_number: int) -> HttpResponse:
        answer = ada.post("/groups", {"name": "a"}, "k1")
        connections.close_all()
        return answer

    # SQLite's database of the tests lies in memory and refuses a second writer instead of letting it wait
    together = 4 if connections["default"].vendor == "postgresql" else 1
    with ThreadPoolExecutor(together) as pool:
        answers = list(pool.map(send, range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert ModelGroup.objects.count() == 1


def test_the_description_has_titles_examples_problems_and_keys():
    schema = ninja.get_openapi_schema(path_prefix="/api/v1")
    operations = [
        (method, path, operation) for path, found in schema["paths"].items() for method, operation in found.items()
    ]
    for method, path, operation in operations:
        assert operation["summary"], path
        assert {400, 401, 403, 422, 429, 503} <= set(operation["responses"]), path
        names = [parameter["name"] for parameter in operation.get("parameters", ())]
        assert ("Idempotency-Key" in names) == (201 in operation["responses"]), path
        if "{" in path or method != "get":
            assert 404 in operation["responses"], path
    summaries = [(path.split("/")[3], operation["summary"]) for _, path, operation in operations]
    assert len(summaries) - len(set(summaries)) <= 3
    assert set(EXAMPLES) <= set(schema["components"]["schemas"])


def test_every_example_is_what_its_schema_takes():
    schema = ninja.get_openapi_schema(path_prefix="/api/v1")
    for name, example in EXAMPLES.items():
        whole = {"components": schema["components"], "$ref": f"#/components/schemas/{name}"}
        assert jsonschema_rs.is_valid(whole, example), name
