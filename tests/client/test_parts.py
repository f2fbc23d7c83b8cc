"""The client's newer parts against a real server."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer

from mop.accounts.models import User
from mop_client import Client, ConflictError, NotAllowedError, NotFoundError
from support.factories import make_model, make_task, make_team, make_token, make_user
from support.releases import make_releasable, make_service


@pytest.fixture
def root(engine_database: str) -> User:
    return make_user("root", is_administrator=True)


@pytest.fixture
def mop(live_server: LiveServer, root: User) -> Client:
    return Client(live_server.url, make_token(root))


def test_people_come_change_and_go(mop: Client):
    make_user("olivia")
    invitation = mop.invitations.create("new@example.com")
    assert [one["email"] for one in mop.invitations.list()] == ["new@example.com"]
    mop.invitations.withdraw(invitation["id"])
    assert mop.invitations.list() == []
    assert [one["username"] for one in mop.users.list(search="oliv")] == ["olivia"]
    assert mop.users.change("olivia", is_administrator=True)["is_administrator"]
    assert mop.users.sessions("olivia") == []
    assert mop.users.reset_link("olivia")["link"].startswith("http")
    mop.users.end_access("olivia")
    mop.users.remove_second_factors("olivia")
    assert not mop.users.change("olivia", is_active=False)["is_active"]
    assert mop.users.reassign("olivia", to="root") == 0
    with pytest.raises(ConflictError, match="last administrator"):
        mop.users.change("root", is_active=False)


def test_teams_and_what_keeps_them(mop: Client):
    make_user("olivia")
    make_team("the oldest")
    assert mop.teams.create("a/b")["name"] == "a/b"
    mop.teams.add_member("a/b", "olivia")
    assert mop.teams.get("a/b")["members"] == ["olivia"]
    mop.teams.remove_member("a/b", "olivia")
    assert mop.teams.change("a/b", name="c")["name"] == "c"
    assert "c" in [one["name"] for one in mop.teams.list()]
    mop.teams.delete("c")
    with pytest.raises(NotFoundError):
        mop.teams.get("c")


def test_results_and_releases_are_read(mop: Client, root: User, live_server: LiveServer):
    task = make_task("hate in text", owners=[root])
    make_model("toxicity", owner=root, tasks=(task,))
    assert mop.evaluations.wait("toxicity", "v1.0.0") == []
    assert [one["percentile"] for one in mop.evaluations.rank("toxicity", "v1.0.0")] in ([], [None] * 4)
    assert mop.evaluations.leaderboard("hate in text")["items"] == []
    assert mop.evaluations.headline("hate in text") == {"task": "hate in text", "dataset": None, "is_chosen": False}
    assert mop.services.list() == []
    assert list(mop.releases.list(state="live")) == []
    with pytest.raises(NotFoundError):
        mop.releases.get(1)
    stranger = Client(live_server.url, make_token(make_user()))
    with pytest.raises(NotAllowedError):
        list(stranger.users.list())


def test_a_release_goes_from_request_to_retirement(mop: Client, root: User, live_server: LiveServer):
    service = make_service(admins=(root,))
    owner = make_user("olivia")
    revision = make_releasable(make_task("hate in text"), owner=owner)
    theirs = Client(live_server.url, make_token(owner))
    offer = theirs.releases.check(service.name, revision.model.name, revision.version)
    assert offer["obstacle"] == "", offer
    asked = theirs.releases.request(service.name, revision.model.name, revision.version, comment="please")
    number = asked["number"]
    assert [one["number"] for one in mop.releases.list(service=service.name, state="waiting")] == [number]
    evidence = mop.releases.evidence(number)
    assert mop.releases.approve(number, "well measured", evidence=evidence["digest"])["state"] == "approved"
    assert mop.releases.released(number)["went_live"] == "admin"
    assert [one["release"] for one in mop.services.live(service.name)] == [number]
    assert mop.releases.retire(number, "its successor is better")["state"] == "retired"
    assert [one["end"] for one in mop.services.history(service.name)] == ["retired"]
    assert mop.releases.get(number)["events"][0]["what"] == "retired"  # the newest first
