from __future__ import annotations

import re

import pytest
from django.urls import resolve

from mop.catalog.models import Task
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


@pytest.mark.parametrize("name", [" ", " hate", "hate ", "ha\nte", "ha\u200bte", "\u202ehate", ".", ".."])
def test_a_name_is_one_line_that_people_see_and_an_address_can_hold(api: Api, name: str):
    make_team("safety")
    task = {
        "team": "safety",
        "modality": "Text",
        "taxonomy": "Hate",
        "label_type": "Categorical",
        "labels": ["no", "yes"],
    }
    for path, body in (
        ("/tasks", task),
        ("/taxonomies", {}),
        ("/teams", {}),
        ("/instance-types", {"vcpus": 1, "memory_gib": 1}),
    ):
        answer = api.post(path, {**body, "name": name})
        assert answer.status_code == 422, path
        assert answer.json()["fields"].keys() == {"name"}
    assert api.patch("/teams/safety", {"name": name}).json()["fields"].keys() == {"name"}


@pytest.mark.parametrize("labels", [["no", "no "], ["no", "y\nes"], ["no", "\u200byes"], ["no", "no"], ["no", " "]])
def test_labels_differ_for_people_and_fit_into_a_cell(api: Api, labels: list[str]):
    make_team("safety")
    task = {"name": "hate", "team": "safety", "modality": "Text", "taxonomy": "Hate", "label_type": "Categorical"}
    answer = api.post("/tasks", {**task, "labels": labels})
    assert (answer.status_code, answer.json()["fields"].keys()) == (422, {"labels"})


def test_what_an_earlier_mop_let_in_can_still_be_changed(api: Api):
    task = make_task("hate")
    Task.objects.filter(pk=task.pk).update(name=" hate", labels=["no", "no "])
    assert api.patch("/tasks/ hate", {"description": "d"}).json()["description"] == "d"


def test_a_task_s_name_may_have_a_slash_wherever_it_stands_in_an_address():
    paths = {path.replace("/tasks/{name}", "/tasks/{task}") for _, path in operations()}
    for path in sorted(path for path in paths if "{task}" in path):
        others = dict.fromkeys(re.findall("{(.+?)}", path), "1")
        plain = resolve(API_ROOT + path.format(**{**others, "task": "Hate"}))
        slash = resolve(API_ROOT + path.format(**{**others, "task": "Hate/speech"}))
        assert slash.route == plain.route, path
        assert "Hate/speech" in slash.kwargs.values(), path
