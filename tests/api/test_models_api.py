from __future__ import annotations

import pytest
from pytest_django import Settings

from support.api import Api
from support.factories import make_model, make_task, make_token, make_user, publish

pytestmark = pytest.mark.django_db


def test_a_url_and_a_task_suffice_for_a_first_model(settings: Settings):
    user, task = make_user("ada"), make_task(taxonomy="Violence")
    (settings.MOP_FILE_ROOTS[0] / "m").mkdir(exist_ok=True)
    url = (settings.MOP_FILE_ROOTS[0] / "m").as_uri()
    answer = Api(token=make_token(user)).post("/models", {"model_url": url, "connections": [{"task": task.name}]})
    assert answer.status_code == 201
    revision = answer.json()
    assert revision["model"].startswith("ada-model-")
    assert revision["version"] == "v1.0.0"
    assert revision["status"] == "created"
    assert revision["queue"] == {"place": 1, "waiting": 1, "instance_type": "Standard_F4s_v2"}
    assert (revision["worker_number"], revision["thread_number"], revision["batch_enabled"]) == (1, 8, True)
    assert (revision["batch_max_size"], revision["batch_idle_size"], revision["batch_max_interval"]) == (12, 3, 0.002)
    assert revision["load_test_option"] == "PerConcurrency"
    model = Api(token=make_token(user)).get(f"/models/{revision['model']}").json()
    assert model["owners"] == ["ada"]
    assert model["team"] == "ada"
    assert model["connections"] == [{"task": task.name, "taxonomy": "Violence", "customized_name": "Violence"}]
    assert model["description"].startswith("This model is created by ada on MOP on ")


def test_a_private_model_is_invisible_to_others():
    model = make_model()
    api = Api(token=make_token(make_user()))
    assert api.get("/models", status="all").json() == {"items": [], "next": None}
    for path in (f"/models/{model.name}", f"/models/{model.name}/revisions", f"/models/{model.name}/revisions/v1.0.0"):
        answer = api.get(path)
        assert answer.status_code == 404
        assert answer.json()["name"] == "NotFoundError"


def test_a_public_model_is_seen_by_everyone_signed_in_but_changed_by_owners_only():
    model = make_model()
    publish(model)
    api = Api(token=make_token(make_user()))
    assert [row["name"] for row in api.get("/models").json()["items"]] == [model.name]
    answer = api.patch(f"/models/{model.name}", {"description": "mine now"})
    assert answer.status_code == 403
    assert answer.json()["name"] == "NotAllowedError"
