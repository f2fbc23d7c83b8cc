"""Source prefixes in API and portal, and what the forms of models make of them."""

from __future__ import annotations

import pytest
from django.conf import settings as current
from django.test import Client
from pytest_django import Settings

from mop.registry.models import Model
from mop.registry.principals import principal_note
from mop.sources.models import SourcePrefix
from support.api import Api
from support.factories import PASSWORD, make_task, make_team, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_prefixes(settings: Settings) -> None:
    settings.MOP_SOURCE_PREFIXES = ""


def test_an_administrator_gives_a_team_its_place_and_takes_it_again():
    team = make_team("blue")
    member = Api(token=make_token(make_user(teams=(team,))))
    other = Api(token=make_token(make_user(teams=(make_team("red"),))))
    root = Api(token=make_token(make_user(is_administrator=True)))
    prefix = f"{current.MOP_FILE_ROOTS[0].as_uri()}/blue"
    answer = root.post("/source-prefixes", {"team": "blue", "purpose": "models", "prefix": prefix})
    assert answer.status_code == 201
    assert answer.json()["origin"] == "administrator"
    seen = [item for item in member.get("/source-prefixes").json() if item["purpose"] == "models"]
    assert [(item["team"], item["prefix"], item["is_usable"]) for item in seen] == [("blue", prefix, True)]
    assert not [item for item in other.get("/source-prefixes").json() if item["purpose"] == "models"]
    assert root.delete(f"/source-prefixes/{answer.json()['id']}").status_code == 204
    assert not SourcePrefix.objects.exists()


def test_a_model_of_another_teams_folder_is_refused_by_form_and_api():
    blue, red = make_team("blue"), make_team("red")
    user, root = make_user("ada", teams=(red,)), make_user("root", is_administrator=True)
    task = make_task()
    folder = current.MOP_FILE_ROOTS[0] / "blue"
    folder.mkdir(exist_ok=True)
    Api(token=make_token(root)).post(
        "/source-prefixes", {"team": blue.name, "purpose": "models", "prefix": folder.as_uri()}
    )
    body = {"model_url": folder.as_uri(), "connections": [{"task": task.name}], "team": "red"}
    answer = Api(token=make_token(user)).post("/models", body)
    assert answer.status_code == 422
    assert "The team red may not read models" in str(answer.json()["fields"]["model_url"])
    assert not Model.objects.exists()
    assert "It has no source prefix" in principal_note(folder.as_uri(), user.teams.all()).text
    assert principal_note(folder.as_uri(), [blue]).is_problem is False


def test_the_page_lists_adds_and_removes(client: Client):
    make_user("root", is_administrator=True)
    client.login(username="root", password=PASSWORD)
    page = client.get("/source-prefixes/").content.decode()
    assert "every configured place" in page
    assert current.MOP_FILE_ROOTS[0].as_uri() in page
    prefix = f"{current.MOP_FILE_ROOTS[0].as_uri()}/blue"
    refused = client.post("/source-prefixes/", {"purpose": "models", "prefix": "file:///etc"})
    assert refused.status_code == 422
    assert "not under an allowed root" in refused.content.decode()
    answer = client.post("/source-prefixes/", {"purpose": "models", "prefix": prefix}, follow=True)
    assert f"Every team may read models below {prefix}." in answer.content.decode()
    row = SourcePrefix.objects.get()
    asked = client.get(f"/source-prefixes/{row.pk}/remove/").content.decode()
    assert "New versions from there are refused" in asked
    client.post(f"/source-prefixes/{row.pk}/remove/")
    assert not SourcePrefix.objects.exists()
