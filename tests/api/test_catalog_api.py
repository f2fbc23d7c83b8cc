from __future__ import annotations

import re

import pytest
from django.urls import resolve

from support.addresses import API_ROOT, operations
from support.api import Api
from support.factories import make_task, make_team, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Api:
    return Api(token=make_token(make_user("root", is_administrator=True)))


def test_an_administrator_defines_a_task(api: Api):
    make_team("safety")
    body = {
        "name": "hate severity/text",
        "team": "safety",
        "modality": "Text",
        "taxonomy": "Hate",
        "label_type": "Ordinal",
        "labels": ["safe", "low", "high"],
    }
    answer = api.post("/tasks", body)
    assert answer.status_code == 201
    task = answer.json()
    assert {name: task[name] for name in body} == body
    assert (task["owners"], task["created_by"]) == (["root"], "root")
    assert api.get("/tasks/hate severity/text").json() == task
    assert api.post("/tasks", body).json()["fields"].keys() == {"name"}
    for field in ("team", "taxonomy"):
        assert api.post("/tasks", {**body, "name": "x", field: "none"}).json()["fields"].keys() == {field}
    assert api.post("/tasks", {**body, "name": "x", "owners": ["none"]}).json()["fields"].keys() == {"owners"}
    assert api.post("/tasks", {**body, "name": "x", "labels": ["a", "b"]}).status_code == 422


def test_tasks_are_filtered_and_paged(api: Api):
    for name in ("a", "b", "c"):
        make_task(name, taxonomy="Violence" if name == "b" else "Hate")
    assert [row["name"] for row in api.get("/tasks", taxonomy="Hate").json()["items"]] == ["a", "c"]
    assert [row["name"] for row in api.get("/tasks", modality="Image").json()["items"]] == []
    first = api.get("/tasks", limit=2).json()
    assert [row["name"] for row in api.get("/tasks", limit=2, cursor=first["next"]).json()["items"]] == ["c"]


def test_an_administrator_defines_taxonomies_instance_types_and_teams(api: Api):
    assert api.post("/taxonomies", {"name": "Spam"}).status_code == 201
    assert "Spam" in {row["name"] for row in api.get("/taxonomies").json()}
    assert api.post("/taxonomies", {"name": "Spam"}).status_code == 422
    assert api.post("/instance-types", {"name": "tiny", "vcpus": 1, "memory_gib": 0.5}).status_code == 201
    assert api.get("/instance-types").json()[0]["name"] == "tiny"
    assert api.post("/teams", {"name": "safety", "description": "d"}).json()["is_member"] is False
    assert "safety" in {row["name"] for row in api.get("/teams").json()}


def test_a_task_s_name_may_have_a_slash_wherever_it_stands_in_an_address():
    paths = {path.replace("/tasks/{name}", "/tasks/{task}") for _, path in operations()}
    for path in sorted(path for path in paths if "{task}" in path):
        others = dict.fromkeys(re.findall("{(.+?)}", path), "1")
        plain = resolve(API_ROOT + path.format(**{**others, "task": "Hate"}))
        slash = resolve(API_ROOT + path.format(**{**others, "task": "Hate/speech"}))
        assert slash.route == plain.route, path
        assert "Hate/speech" in slash.kwargs.values(), path
