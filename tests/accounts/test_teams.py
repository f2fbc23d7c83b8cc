"""Teams by API and portal: members, another name, and what keeps one from being deleted."""

from __future__ import annotations

from typing import Any

import pytest

from mop.accounts.models import Team, User
from mop.accounts.teams import bonds_of, in_the_way
from mop.audit.models import AuditEvent
from mop.registry.groups import create_group, share_group
from mop.sources.models import SourcePrefix
from support.api import Api
from support.browsing import client_of, send
from support.factories import ACTOR, make_model, make_task, make_team, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    return make_user("root", is_administrator=True)


@pytest.fixture
def api(root: User) -> Api:
    make_team("the oldest")  # reads everywhere as long as there are no source prefixes
    return Api(token=make_token(root))


def test_members_come_and_go(api: Api):
    user = make_user("olivia")
    team = make_team("a/b")  # names are free text
    assert api.call("PUT", "/teams/a%2Fb/members/olivia").status_code == 204
    assert api.get("/teams/a%2Fb").json()["members"] == ["olivia"]
    own = Api(token=make_token(user))
    assert own.get("/teams/a%2Fb").json()["members"] == ["olivia"]
    assert Api(token=make_token(make_user())).get("/teams/a%2Fb").json()["members"] is None
    api.patch("/users/olivia", {"is_active": False})
    assert api.call("PUT", "/teams/a%2Fb/members/olivia").status_code == 404
    assert api.delete("/teams/a%2Fb/members/olivia").status_code == 204
    assert api.delete("/teams/a%2Fb/members/olivia").status_code == 404
    assert not team.members.exists()


def test_another_name_is_recorded_and_nobody_else_s(api: Api):
    team = make_team("Search")
    make_team("Taken")
    assert api.patch("/teams/Search", {"name": "Find"}).json()["name"] == "Find"
    assert api.get("/teams/Search").status_code == 404
    assert set(api.patch("/teams/Find", {"name": "Taken"}).json()["fields"]) == {"name"}
    assert Team.objects.get(pk=team.pk).name == "Find"
    (event,) = AuditEvent.objects.filter(action="team.changed")
    assert event.data == {"name": "Find", "former_name": "Search"}


def test_what_a_team_has_keeps_it_and_is_named(api: Api, root: User):
    team = make_team("Search")
    member = make_user("olivia", teams=(team,))
    make_task("hate", team=team)
    make_model("toxicity", owner=member, team=team)
    SourcePrefix.objects.create(team=team, purpose="models", prefix="file:///srv/x", created_by=root)
    refused = api.delete("/teams/Search")
    assert refused.status_code == 409
    for text in ("models: toxicity", "tasks: hate", "source prefixes: file:///srv/x"):
        assert text in refused.json()["message"]
    assert {one.label for one in in_the_way(team)} == {"models", "tasks", "source prefixes"}
    page = client_of(root).get(f"/teams/{team.pk}/").content.decode()
    assert "toxicity" in page
    assert f"/teams/{team.pk}/delete/" not in page


def test_a_team_that_has_nothing_goes_and_nobody_is_left_without_a_team(api: Api):
    team = make_team("Search")
    member = make_user("olivia", teams=(team,))
    member.teams.filter(is_personal=True).delete()
    share_group(actor=ACTOR, group=create_group(actor=ACTOR, user=make_user(), name="g"), team=team)
    assert api.delete("/teams/Search").status_code == 204
    assert [one.is_personal for one in member.teams.all()] == [True]
    assert AuditEvent.objects.get(action="team.deleted").data == {"members": ["olivia"]}


def test_what_the_installation_knows_by_its_name_keeps_it(api: Api, settings: Any):
    team = make_team("Search")
    settings.MOP_OIDC_TEAMS = {"g-1": "Search"}
    for answer in (api.delete("/teams/Search"), api.patch("/teams/Search", {"name": "Find"})):
        assert answer.status_code == 409
        assert "MOP_OIDC_TEAMS names it" in answer.json()["message"]
    assert api.patch("/teams/Search", {"description": "Finds."}).status_code == 200
    settings.MOP_OIDC_TEAMS = {}
    settings.MOP_SOURCE_PREFIXES = '[{"team": "Search", "purpose": "models", "prefix": "*"}]'
    assert "MOP_SOURCE_PREFIXES names it" in api.delete("/teams/Search").json()["message"]
    assert [bond.is_by_name for bond in bonds_of(team)] == [True]


def test_the_team_that_reads_everywhere_by_default_may_not_go_so_that_no_other_becomes_it(
    api: Api, root: User, settings: Any
):
    settings.MOP_SOURCE_PREFIXES = ""
    refused = api.delete("/teams/the%20oldest")
    assert refused.status_code == 409
    assert "reads models everywhere" in refused.json()["message"]
    assert api.patch("/teams/the%20oldest", {"name": "first"}).status_code == 200
    for purpose in ("models", "datasets"):
        SourcePrefix.objects.create(team=None, purpose=purpose, prefix="*", created_by=root)
    assert api.delete("/teams/first").status_code == 204


def test_pages_change_and_delete(root: User):
    make_team("the oldest")
    team, client = make_team("Search"), client_of(root)
    assert send(client, f"/teams/{team.pk}/change/", {"name": "Find", "description": ""}).status_code == 302
    assert send(client, f"/teams/{team.pk}/change/", {"name": "", "description": ""}).status_code == 422
    page = client.get(f"/teams/{team.pk}/delete/").content.decode()
    assert "Delete the team Find?" in page
    assert send(client, f"/teams/{team.pk}/delete/").status_code == 302
    assert not Team.objects.filter(pk=team.pk).exists()
