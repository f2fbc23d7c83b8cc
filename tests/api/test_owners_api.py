"""Publish, tags, ETags and groups over the API."""

from __future__ import annotations

import pytest

from mop.audit.models import AuditEvent
from mop.registry.models import Model, Revision
from mop.registry.services import create_revision
from support.api import Api
from support.factories import ACTOR, make_model, make_revision_input, make_team, make_token, make_user, publish, put

pytestmark = pytest.mark.django_db


def of(model: Model) -> Api:
    return Api(token=make_token(model.created_by))


def test_publishing_is_recorded_and_refused_before_verified():
    model = make_model()
    path = f"/models/{model.name}/revisions/v1.0.0"
    refused = of(model).post(f"{path}/publish")
    assert (refused.status_code, refused.json()["name"]) == (409, "ConflictError")
    put(Revision.objects.all(), status="verified")
    assert of(model).post(f"{path}/publish").json()["publish_status"] == "public"
    assert of(model).post(f"{path}/publish").status_code == 200  # it is public already
    stranger = Api(token=make_token(make_user()))
    listed = stranger.get("/models").json()["items"]
    assert [(row["usable_version"], row["usable_publish_status"]) for row in listed] == [("v1.0.0", "public")]
    assert of(model).post(f"{path}/unpublish").json()["publish_status"] == "private"
    assert stranger.get("/models").json()["items"] == []
    assert of(model).post(f"{path}/outdated").json()["status"] == "outdated"
    recorded = AuditEvent.objects.filter(object_type="revision").values_list("action", flat=True)
    assert [action for action in reversed(recorded) if "publish" in action] == [
        "revision.published",
        "revision.unpublished",
    ]


def test_an_edit_of_an_older_edition_is_refused_and_changes_nothing():
    model = make_model()
    api, path = of(model), f"/models/{model.name}"
    etag = api.get(path).headers["ETag"]
    first = api.client.patch(
        f"/api/v1{path}", {"tags": ["b", "A "]}, "application/json", headers={"If-Match": etag, **api._headers}
    )
    assert first.json()["tags"] == ["A", "b"]
    assert first.headers["ETag"] != etag
    second = api.client.patch(
        f"/api/v1{path}",
        {"description": "late", "tags": []},
        "application/json",
        headers={"If-Match": etag, **api._headers},
    )
    assert (second.status_code, second.json()["name"]) == (412, "EditConflictError")
    assert api.get(path).json()["tags"] == ["A", "b"]
    assert api.patch(path, {"description": "without a condition"}).status_code == 200
    wrong = api.client.patch(
        f"/api/v1{path}", {"tags": []}, "application/json", headers={"If-Match": "x", **api._headers}
    )
    assert wrong.status_code == 422
    revision = f"{path}/revisions/v1.0.0"
    stamp = api.get(revision).headers["ETag"]
    put(Revision.objects.all(), status="verified")
    assert api.get(revision).headers["ETag"] == stamp  # a status is no edit
    assert api.patch(revision, {"note": "n"}).headers["ETag"] != stamp


@pytest.mark.parametrize("tags", [["x" * 51], ["a,b"], ["a\x07"], [str(number) for number in range(21)]])
def test_tags_that_are_none_are_refused(tags: list[str]):
    model = make_model()
    answer = of(model).patch(f"/models/{model.name}", {"description": "kept", "tags": tags})
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["tags"])
    assert of(model).get(f"/models/{model.name}").json()["description"] != "kept"


def test_a_taken_private_name_and_a_reserved_one_read_the_same():
    taken = make_model("secret-model")
    user, task = make_user(), taken.connections.get().task
    body = {"name": "secret-model", "model_url": make_revision_input().model_url, "connections": [{"task": task.name}]}
    answer = Api(token=make_token(user)).post("/models", body)
    assert answer.status_code == 422
    assert answer.json()["fields"]["name"] == ["This name is taken or reserved. Choose another one."]


def test_a_group_from_beginning_to_end():
    model, other = make_model("one"), make_user("sam")
    owner = of(model)
    group = owner.post("/groups", {"name": "Candidates"}).json()
    path = f"/groups/{group['id']}"
    assert owner.call("PUT", f"{path}/models/one").status_code == 204
    assert owner.get(path).json()["model_count"] == 1
    assert [row["name"] for row in owner.get("/models", group=str(group["id"])).json()["items"]] == ["one"]
    theirs = Api(token=make_token(other))
    assert theirs.get("/models", group=str(group["id"])).status_code == 422
    share = owner.post(f"{path}/shares", {"username": "sam"}).json()
    assert theirs.get(path).json()["model_count"] == 0
    assert theirs.get("/models", group=str(group["id"])).json()["items"] == []
    publish(model)
    assert theirs.get(path).json()["model_count"] == 1
    assert theirs.patch(path, {"is_listed": False}).json()["is_listed"] is False
    assert theirs.patch(path, {"name": "mine"}).status_code == 403
    assert owner.patch(path, {"name": "Renamed"}).json()["name"] == "Renamed"
    assert owner.post("/groups", {"name": "Renamed"}).status_code == 422
    assert owner.post(f"{path}/shares", {"username": "sam", "team": make_team().name}).status_code == 422
    assert owner.call("DELETE", f"{path}/shares/{share['id']}").status_code == 204
    assert theirs.get(path).status_code == 404
    assert owner.call("DELETE", f"{path}/models/one").status_code == 204
    assert owner.call("DELETE", path).status_code == 204
    assert owner.get("/groups").json() == {"items": []}


def test_the_list_of_models_takes_filters_and_a_fixed_number_of_queries(django_assert_max_num_queries):
    model = make_model("one")
    create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2"))
    api = of(model)
    api.patch("/models/one", {"tags": ["slow"]})
    task = model.connections.get().task.name
    for given in ({"task": task}, {"tag": "slow"}, {"team": model.team.name}, {"status": "running"}, {"group": "mine"}):
        assert [row["latest_version"] for row in api.get("/models", **given).json()["items"]] == ["v2"], given
    assert api.get("/models", status="nonsense").status_code == 422
    with django_assert_max_num_queries(12):
        api.get("/models", search="one", task=task, tag="slow", group="mine", sort="-updated")
