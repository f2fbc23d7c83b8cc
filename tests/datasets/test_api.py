"""The API of datasets and of connection requests, and what `mop dataset create` makes of its options."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.datasets.models import Dataset
from mop_client.cli import dataset as command
from support.api import Api
from support.datasets import dataset_folder, dataset_input, make_datasets
from support.factories import make_task, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> User:
    return make_user("olivia")


@pytest.fixture
def api(owner: User) -> Api:
    return Api(token=make_token(owner))


@pytest.fixture
def task(db: None) -> Task:
    return make_task("hate/in text")


def body(*datasets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "modality": "Text",
        "source_type": "Blob",
        "url": dataset_folder().as_uri(),
        "language": "en",
        "group_columns": ["source"],
        "language_column": "lang",
        "datasets": list(datasets) or [{"label_header": "hate", "name": "a", "label_type": "Binary"}],
        **more,
    }


def test_several_datasets_of_one_file_are_created_and_related(api: Api, task: Task):
    created = api.post(
        "/datasets",
        body(
            {"label_header": "hate", "name": "a", "label_type": "Binary", "tasks": [task.name], "description": "x"},
            {"label_header": "topic", "name": "b", "label_type": "Multi-label", "label_size": 3},
        ),
    )
    assert created.status_code == 201, created.content
    first, second = created.json()
    assert (first["name"], first["status"], first["tasks"][0]["state"]) == ("a", "created", "requested")
    assert (second["label_type"], second["label_size"], second["sample_number"]) == ("Multi-label", 3, None)
    shown = api.get("/datasets/a").json()
    assert shown["related_datasets"] == ["b"]
    assert (shown["group_columns"], shown["language_column"]) == (["source"], "lang")
    assert [one["name"] for one in api.get("/datasets").json()["items"]] == ["a", "b"]
    assert [one["name"] for one in api.get("/datasets", task=task.name).json()["items"]] == ["a"]


def test_fields_of_a_body_that_is_not_right_are_named(api: Api):
    answer = api.post("/datasets", body({"label_header": "text", "name": "a b", "label_type": "Binary", "tasks": []}))
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {"datasets.0.name", "datasets.0.label_header"}
    unknown = api.post("/datasets", body({"label_header": "h", "name": "a", "label_type": "Binary", "tasks": ["none"]}))
    assert "datasets.0.tasks" in unknown.json()["fields"]
    assert api.post("/datasets", body(team="nobody's")).json()["fields"].keys() == {"team"}
    assert api.post("/datasets", body({"label_header": "h", "name": "a", "label_type": "Ternary"})).status_code == 422
    assert not Dataset.objects.exists()


def test_a_dataset_is_changed_set_aside_and_deleted(api: Api, owner: User, task: Task):
    make_datasets(dataset_input("a"), owner=owner)
    assert api.patch("/datasets/a", {"tasks": [task.name]}).status_code == 409
    Dataset.objects.update(status="verified", rows=150)
    changed = api.patch("/datasets/a", {"tasks": [task.name], "description": "new"}).json()
    assert (changed["description"], [one["task"] for one in changed["tasks"]]) == ("new", [task.name])
    assert api.post("/datasets/a/retry").status_code == 409
    assert api.post("/datasets/a/outdated").json()["status"] == "outdated"
    assert api.get("/datasets").json()["items"] == []
    assert api.call("DELETE", "/datasets/a").status_code == 204
    assert api.get("/datasets/a").status_code == 404


def test_an_owner_of_a_task_decides_also_where_its_name_holds_a_slash(api: Api, owner: User, task: Task):
    make_datasets(dataset_input("a", [task]), owner=owner)
    Dataset.objects.update(status="verified", rows=150)
    decides = Api(token=make_token(task.owners.get()))
    (asked,) = decides.get("/tasks/hate%2Fin%20text/requests").json()
    assert (asked["dataset"], asked["state"], asked["can_be_approved"]) == ("a", "requested", True)
    assert api.get("/tasks/hate%2Fin%20text/requests").status_code == 403
    approved = decides.post("/tasks/hate%2Fin%20text/datasets/a/approve", {"comment": "fits"})
    assert (approved.json()["state"], approved.json()["comment"]) == ("approved", "fits")
    assert decides.post("/tasks/hate%2Fin%20text/datasets/a/approve").status_code == 409
    assert decides.post("/tasks/hate%2Fin%20text/datasets/a/reject").json()["state"] == "rejected"
    assert decides.post("/tasks/hate%2Fin%20text/datasets/b/reject").status_code == 404
    assert api.get("/tasks/hate%2Fin%20text").json()["name"] == task.name


def test_values_of_options_belong_to_the_column_that_they_name():
    labels = ["hate", "level"]
    tasks = command._by_column(["hate=Hate = 1", "both", "level=Levels"], labels)
    assert tasks == {"hate": ["Hate = 1", "both"], "level": ["both", "Levels"]}
    assert command._single(["hate=ordinal"], labels, "--label-type") == {"hate": "ordinal"}
    with pytest.raises(typer.BadParameter, match="more than once for 'hate'"):
        command._single(["hate=a", "b"], labels, "--name")
    assert command._proposed_name("file:///data/forum 2026/dataset.csv", "hate level") == "forum-2026-hate-level"
