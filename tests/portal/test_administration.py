"""Tasks, taxonomies, instance types, teams and access tokens."""

from __future__ import annotations

import re

from mop.accounts.models import PersonalAccessToken, Team, User
from mop.catalog.models import InstanceType, Task, Taxonomy
from support.browsing import client_of, send
from support.factories import make_model, make_task, make_team, publish


def test_a_task_is_defined_by_an_administrator(administrator: User, owner: User):
    team = make_team("moderation")
    values = {
        "name": "severity",
        "description": "How bad",
        "team": team.pk,
        "owners": "ada, olivia",
        "modality": "Text",
        "taxonomy": Taxonomy.objects.get(name="Hate").pk,
        "label_type": "Ordinal",
        "labels": "0\r\n2\r\n\r\n 4 \r\n",
    }
    client = client_of(administrator)
    few = send(client, "/tasks/add/", values | {"labels": "0\n2"})
    assert few.status_code == 422
    assert "has 3 to 20 labels, not 2" in few.content.decode()
    unknown = send(client, "/tasks/add/", values | {"owners": "ada, nobody"})
    assert "There is no user &#x27;nobody&#x27;." in unknown.content.decode()
    send(client, "/tasks/add/", values)
    task = Task.objects.get()
    assert task.labels == ["0", "2", "4"]
    assert set(task.owners.all()) == {administrator, owner}
    assert task.created_by == administrator
    again = send(client, "/tasks/add/", values)
    assert "This name is taken." in again.content.decode()


def test_tasks_are_searched_and_filtered(owner: User):
    make_task("hate in text")
    make_task("violence in images", taxonomy="Violence", modality="Image")
    client = client_of(owner)

    def names(query: str) -> list[str]:
        return re.findall(r'href="/tasks/\d+/">([^<]+)<', client.get(f"/tasks/{query}").content.decode())

    assert names("") == ["hate in text", "violence in images"]
    assert names("?search=HATE") == ["hate in text"]
    assert names("?taxonomy=Violence&modality=Image") == ["violence in images"]
    assert names("?taxonomy=Violence&modality=Text") == []


def test_a_task_shows_its_contract_and_the_models_that_one_may_see(owner: User, stranger: User):
    task = make_task("hate in text", label_type="Ordinal", labels=["0", "1", "2"])
    model = make_model("toxicity", owner=owner, tasks=(task,))
    make_model("other", owner=owner)
    page = f"/tasks/{task.pk}/"
    html = client_of(owner).get(page).content.decode()
    assert "Labels, ascending" in html
    assert "/models/toxicity/" in html
    assert "/models/other/" not in html
    assert "/models/toxicity/" not in client_of(stranger).get(page).content.decode()
    publish(model)
    assert "/models/toxicity/" in client_of(stranger).get(page).content.decode()
    assert client_of(owner).get("/tasks/4711/").status_code == 404


def test_a_taxonomy_and_an_instance_type_are_added(administrator: User):
    client = client_of(administrator)
    send(client, "/taxonomies/", {"name": "Fraud"})
    assert Taxonomy.objects.filter(name="Fraud").exists()
    assert send(client, "/taxonomies/", {"name": "Fraud"}).status_code == 422
    values = {"name": "Standard_X", "vcpus": "2", "memory_gib": "3.5", "gpus": "0"}
    send(client, "/instance-types/", values)
    assert InstanceType.objects.get(name="Standard_X").memory_gib == 3.5
    assert send(client, "/instance-types/", values | {"name": "Y", "vcpus": "0"}).status_code == 422


def test_a_team_gets_and_loses_members(administrator: User, owner: User):
    client = client_of(administrator)
    page = send(client, "/teams/", {"name": "moderation"}).headers["Location"]
    team = Team.objects.get(name="moderation")
    send(client, f"{page}members/add/", {"username": "olivia"}, form=page)
    assert list(team.members.all()) == [owner]
    assert send(client, f"{page}members/add/", {"username": "nobody"}, form=page).status_code == 422
    send(client, f"{page}members/remove/", {"username": "olivia"}, form=page)
    assert not team.members.exists()
    assert send(client, f"{page}members/remove/", {"username": "olivia"}, form=page).status_code == 404


def test_a_token_is_shown_once_and_revoked_after_asking(owner: User, stranger: User):
    client = client_of(owner)
    created = send(client, "/account/tokens/", {"name": "build server", "access": "all:read", "days": "30"})
    found = re.search(r"<code>(mop_[A-Za-z0-9_-]+)</code>", created.content.decode())
    assert found is not None
    assert found[1] not in client.get("/account/tokens/").content.decode()
    token = PersonalAccessToken.objects.get()
    assert found[1] not in (token.digest, token.prefix)
    revoke = f"/account/tokens/{token.pk}/revoke/"
    assert client_of(stranger).get(revoke).status_code == 404
    assert "Revoke the token build server?" in client.get(revoke).content.decode()
    token.refresh_from_db()
    assert token.revoked_at is None
    send(client, revoke)
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_token_that_lives_too_long_is_refused(owner: User):
    refused = send(client_of(owner), "/account/tokens/", {"name": "x", "access": "all:read", "days": "9999"})
    assert refused.status_code == 422
    assert not PersonalAccessToken.objects.exists()
