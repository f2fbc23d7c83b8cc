from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from mop.errors import UserScriptException
from mop.onboarding.models import LogKind, LogLine
from mop.registry.advance import advance
from mop.registry.models import Model, Revision
from mop.registry.statuses import RevisionStatus
from support.api import Api
from support.factories import ACTOR, make_model, make_token, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


@pytest.fixture
def model() -> Model:
    return make_model("scorer", owner=make_user("ada"), thread_number=4, sample_post_data={"text": "x"})


@pytest.fixture
def api(model: Model) -> Api:
    return Api(token=make_token(model.created_by))


def test_a_version_takes_over_what_is_left_out(api: Api):
    answer = api.post("/models/scorer/revisions", {"worker_number": 2, "server": "gunicorn"})
    assert answer.status_code == 201
    revision = answer.json()
    assert (revision["version"], revision["worker_number"], revision["thread_number"]) == ("v1.0.1", 2, 4)
    assert (revision["sample_post_data"], revision["server"]) == ({"text": "x"}, "gunicorn")
    assert revision["note"].startswith("This version for model scorer is created by ada on MOP on ")


def test_null_takes_the_sample_away_and_leaves_other_fields(api: Api):
    revision = api.post("/models/scorer/revisions", {"sample_post_data": None, "thread_number": None}).json()
    assert (revision["sample_post_data"], revision["thread_number"]) == (None, 4)


def test_versions_are_listed_newest_first_and_paged(api: Api):
    for _ in range(4):
        api.post("/models/scorer/revisions", {})
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.get("/models/scorer/revisions", limit=2, cursor=cursor).json()
        assert len(page["items"]) <= 2
        seen += [row["version"] for row in page["items"]]
        cursor = page["next"]
    assert seen == ["v1.0.4", "v1.0.3", "v1.0.2", "v1.0.1", "v1.0.0"]


def test_a_failed_version_tells_error_and_hint(api: Api, model: Model):
    error = UserScriptException("boom", hint="hint it", place="src/inference.py:3", also=["and more"])
    revision = model.revisions.get()
    advance(revision_id=revision.pk, attempt=1, to=RevisionStatus.VERIFY_FAILED, actor=ACTOR, error=error)
    body = api.get("/models/scorer/revisions/v1.0.0").json()
    assert body["error"] == error.to_dict()
    assert (body["status"], body["is_final"], body["queue"]) == ("verifyFailed", True, None)


def test_cancel_retry_and_the_timeline(api: Api):
    assert api.post("/models/scorer/revisions/v1.0.0/cancel").json()["status"] == "cancelled"
    assert api.post("/models/scorer/revisions/v1.0.0/cancel").status_code == 409
    retried = api.post("/models/scorer/revisions/v1.0.0/retry").json()
    assert (retried["status"], retried["attempt"]) == ("created", 2)
    timeline = api.get("/models/scorer/revisions/v1.0.0/events").json()
    assert (timeline["status"], timeline["is_final"]) == ("created", False)
    assert [(row["attempt"], row["status"], row["is_current"]) for row in timeline["items"]] == [
        (1, "created", False),
        (1, "cancelled", False),
        (2, "created", True),
    ]
    assert all(row["seconds"] >= 0 for row in timeline["items"])
    second = timeline["items"][1]
    later = api.get("/models/scorer/revisions/v1.0.0/events", after=second["id"]).json()["items"]
    assert [row["id"] for row in later] == [timeline["items"][2]["id"]]
    assert later[0]["actor"] == "ada"


def test_the_note_changes_and_nothing_else(api: Api):
    assert api.patch("/models/scorer/revisions/v1.0.0", {"note": "new"}).json()["note"] == "new"
    assert api.patch("/models/scorer/revisions/v1.0.0", {"model_url": "x"}).status_code == 422


def test_versions_and_models_are_deleted(api: Api):
    assert api.delete("/models/scorer/revisions/v1.0.0").status_code == 409
    api.post("/models/scorer/revisions", {})
    assert api.delete("/models/scorer/revisions/v1.0.0").status_code == 204
    assert api.get("/models/scorer/revisions/v1.0.0").status_code == 404
    assert api.delete("/models/scorer").status_code == 204
    assert not Model.objects.exists()


def test_owners_come_and_go(api: Api):
    make_user("bob")
    assert api.post("/models/scorer/owners", {"username": "bob"}).json()["owners"] == ["ada", "bob"]
    assert api.post("/models/scorer/owners", {"username": "nobody"}).status_code == 422
    assert api.delete("/models/scorer/owners/nobody").status_code == 404
    assert api.delete("/models/scorer/owners/ada").status_code == 204
    assert api.get("/models/scorer").status_code == 404


def test_the_last_owner_stays(api: Api):
    assert api.delete("/models/scorer/owners/ada").status_code == 409


def write_log(model: Model, lines: list[str]) -> None:
    revision = model.revisions.get()
    LogLine.objects.bulk_create(
        LogLine(revision=revision, kind=LogKind.BUILD, number=number, at=timezone.now(), text=text)
        for number, text in enumerate(lines, 1)
    )


def test_a_log_is_paged_followed_and_searched(api: Api, model: Model):
    write_log(model, [f"line {number}" for number in range(1, 8)] + ["ERROR at last"])
    path = "/models/scorer/revisions/v1.0.0/logs/build"
    page = api.get(path, limit=5).json()
    assert [row["number"] for row in page["items"]] == [1, 2, 3, 4, 5]
    assert (page["total"], page["next"], page["last"]) == (8, "5", 5)
    page = api.get(path, limit=5, cursor=page["next"]).json()
    assert [row["text"] for row in page["items"]] == ["line 6", "line 7", "ERROR at last"]
    assert (page["next"], page["last"]) == (None, 8)
    page = api.get(path, after=8).json()
    assert (page["items"], page["last"]) == ([], 8)
    assert [row["number"] for row in api.get(path, search="error").json()["items"]] == [8]
    assert api.get(path.replace("build", "deployment")).json()["total"] == 0
    assert api.get(path.replace("build", "diary")).status_code == 422


@pytest.mark.parametrize("count", [1, 5])
def test_lists_take_a_fixed_number_of_queries(api: Api, count: int, django_assert_num_queries: Any):
    user = Model.objects.get().created_by
    for number in range(count):
        make_model(owner=user)
        api.post("/models/scorer/revisions", {"version": f"w{number}"})
    api.get("/me")  # writes the token's last use
    with django_assert_num_queries(7):  # token, ids, keys, models, owners, connections, tags
        assert len(api.get("/models").json()["items"]) == count + 1
    with django_assert_num_queries(3):  # token, model, revisions
        assert len(api.get("/models/scorer/revisions").json()["items"]) == count + 1
    with django_assert_num_queries(3):  # token, tasks, owners
        assert len(api.get("/tasks").json()["items"]) == count + 1


def test_models_are_paged_in_every_order(api: Api):
    user = Model.objects.get().created_by
    for number in range(4):
        make_model(f"m{number}", owner=user)
    Revision.objects.filter(model__name__in=("m1", "m2")).update(status="verified")
    for sort in ("name", "-name", "team", "-team", "status", "-status", "created", "-created"):
        whole = [row["name"] for row in api.get("/models", sort=sort).json()["items"]]
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = api.get("/models", sort=sort, limit=2, cursor=cursor).json()
            seen += [row["name"] for row in page["items"]]
            cursor = page["next"]
        assert seen == whole
        assert len(seen) == 5
