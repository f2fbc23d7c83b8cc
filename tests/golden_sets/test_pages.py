"""Golden sets in portal and API, and who is shown what of them."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from golden_sets.made import csv_file, supplied, wrong_of_them
from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.golden_sets.advance import GOLDEN
from mop.golden_sets.models import GoldenRun, GoldenSet
from mop.golden_sets.services import start_missing
from mop.registry.models import Model
from support.api import Api
from support.case_runs import finished
from support.evaluation_results import verified
from support.factories import ACTOR, make_model, make_task, make_token, make_user, publish

pytestmark = pytest.mark.django_db
SECRET = "darn"


@pytest.fixture
def supplier() -> User:
    return make_user("supplier")


@pytest.fixture
def task(supplier: User) -> Task:
    return make_task("hate/one", owners=[supplier, make_user("other-owner")])


@pytest.fixture
def model(task: Task, supplier: User) -> Model:
    """A public model with a result: two rows failed."""
    made = make_model("measured", owner=make_user("model-owner"), tasks=(task,))
    verified(made.revisions.get())
    publish(made)
    supplied(task, by=supplier)
    start_missing(actor=ACTOR)
    finished(GOLDEN, GoldenRun.objects.get(), wrong_of_them)
    return made


def api_of(user: User) -> Api:
    return Api(token=make_token(user))


def page(user: User, address: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    return answer.content.decode() if answer.status_code == 200 else str(answer.status_code)


def test_a_golden_set_is_made_shown_and_deleted_over_the_api(task: Task, supplier: User):
    api = api_of(supplier)
    body = {"name": "core", "format": "csv", "content": csv_file()}
    made = api.post("/tasks/hate/one/golden-sets", body)
    assert made.status_code == 201, made.content
    assert api.post("/tasks/hate/one/golden-sets", body).status_code == 409
    lines = json.dumps({"label": "0", "text": "hello"})
    again = api.post("/tasks/hate/one/golden-sets", {"name": "core", "format": "jsonl", "content": lines}).json()
    assert [(one["number"], one["rows"], one["is_newest"]) for one in again["versions"]] == [
        (2, 1, True),
        (1, 4, False),
    ]
    assert [one["name"] for one in api.get("/tasks/hate/one/golden-sets").json()["items"]] == ["core"]
    assert api.get("/tasks/hate/one/golden-sets/core/rows").json()["items"] == [
        {"number": 1, "expected": "0", "content": {"text": "hello"}}
    ]
    assert len(api.get("/tasks/hate/one/golden-sets/core/rows", version=1).json()["items"]) == 4
    assert api.get("/tasks/hate/one/golden-sets/core/rows", version=3).status_code == 404
    refused = api.post("/tasks/hate/one/golden-sets", {"name": "core", "format": "csv", "content": "label,text\n9,a\n"})
    assert refused.json()["fields"] == {"content": ["Row 1: label is none of 0, 1."]}
    assert api.call("DELETE", "/tasks/hate/one/golden-sets/core").status_code == 204
    assert not GoldenSet.objects.exists()


def test_results_are_given_by_row_to_everybody_who_sees_the_version(model: Model):
    for user in (model.created_by, make_user()):
        (found,) = api_of(user).get("/models/measured/revisions/v1.0.0/golden-sets").json()["items"]
        assert (found["status"], found["cases"], found["failed"], found["pass_rate"]) == ("finished", 4, 2, 0.5)
        assert found["failures"] == [
            {"row": 1, "expected": "0", "predicted": None, "error": "UserScriptException"},
            {"row": 3, "expected": "1", "predicted": "0", "error": None},
        ]


def test_who_supplied_the_rows_alone_reads_them(model: Model, task: Task, supplier: User):
    everybody = {
        "supplier": supplier,
        "other owner of the task": User.objects.get(username="other-owner"),
        "model owner": model.created_by,
        "stranger": make_user(),
        "administrator": make_user(is_administrator=True),
    }
    places = [
        reverse("golden_sets:golden_set", args=[task.pk, "core"]),
        reverse("golden_sets:rows", args=[task.pk, "core", 1]),
        reverse("golden_sets:results", args=["measured", "v1.0.0"]),
        reverse("catalog:task", args=[task.pk]),
        reverse("registry:revision", args=["measured", "v1.0.0"]),
    ]
    addresses = [
        "/tasks/hate/one/golden-sets",
        "/tasks/hate/one/golden-sets/core",
        "/tasks/hate/one/golden-sets/core/rows",
        "/models/measured/revisions/v1.0.0/golden-sets",
    ]
    readers = {}
    for name, user in everybody.items():
        seen = {address for address in places if SECRET in page(user, address)}
        seen |= {path for path in addresses if SECRET in api_of(user).get(path).content.decode()}
        readers[name] = seen
    assert readers.pop("supplier") == {places[1], addresses[2]}
    assert set(map(frozenset, readers.values())) == {frozenset()}
    task.owners.remove(supplier)  # who owns the task no longer reads them no longer
    assert page(supplier, places[1]) == "403"
    assert AuditEvent.objects.filter(action="golden_set.rows_read").count() == 2
    assert SECRET not in str(list(AuditEvent.objects.values()))


def test_a_file_is_uploaded_in_the_portal(task: Task, supplier: User):
    client = Client()
    client.force_login(supplier)
    address = reverse("golden_sets:add", args=[task.pk])
    faulty = SimpleUploadedFile("rows.csv", b"label,text\n9,a\n8,b\n")
    answer = client.post(address, {"name": "core", "file": faulty})
    assert answer.status_code == 422
    assert "Row 2: label is none of 0, 1." in answer.content.decode()
    assert client.post(address, {"name": "core", "file": SimpleUploadedFile("rows.csv", b"\xff")}).status_code == 422
    assert client.post(address, {"name": "no/name", "file": faulty}).status_code == 422
    fine = SimpleUploadedFile("rows.csv", csv_file().encode())
    answer = client.post(address, {"name": "core", "file": fine}, follow=True)
    assert "core version 1 has 4 rows" in answer.content.decode()
    fine = SimpleUploadedFile("rows.jsonl", b'{"label": "0", "text": "hello"}')
    answer = client.post(reverse("golden_sets:upload", args=[task.pk, "core"]), {"file": fine}, follow=True)
    assert "core version 2 has 1 rows" in answer.content.decode()


def test_pages_show_pass_rate_and_rows_that_failed(model: Model):
    shown = page(model.created_by, reverse("golden_sets:results", args=["measured", "v1.0.0"]))
    assert "50.0 %" in shown
    assert "2 of 4 rows passed" in shown
    assert "UserScriptException" in shown
    details = page(model.created_by, reverse("registry:revision", args=["measured", "v1.0.0"]))
    assert "Golden sets" in details
    assert "50.0 %" in details
    client = Client()
    client.force_login(model.created_by)
    answer = client.post(reverse("golden_sets:run", args=["measured", "v1.0.0"]), follow=True)
    assert "1 run waits for a host." in answer.content.decode()
    assert "The result below is of the run before" in answer.content.decode()


def test_golden_sets_are_deleted_after_a_question(task: Task, supplier: User, model: Model):
    client = Client()
    client.force_login(supplier)
    address = reverse("golden_sets:delete", args=[task.pk, "core"])
    asked = client.get(address).content.decode()
    assert "1 results of versions of models" in asked
    client.post(address)
    assert not GoldenSet.objects.exists()
