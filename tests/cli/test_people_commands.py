"""`mop user` and `mop team`: what an administrator does with people."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from cli.commands import Result, mop_here
from mop.accounts.models import Team, User
from support.factories import make_model, make_team, make_token, make_user

Mop = Callable[..., Result]


@pytest.fixture
def root(engine_database: str) -> User:
    return make_user("root", is_administrator=True)


@pytest.fixture
def mop(
    live_server: LiveServer,
    root: User,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Mop:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    monkeypatch.setenv("MOP_TOKEN", make_token(root))
    return lambda *arguments: mop_here(capsys, *arguments)


def test_people_are_listed_shown_kept_out_and_let_in(mop: Mop, monkeypatch: pytest.MonkeyPatch):
    user = make_user("olivia")
    model = make_model("toxicity", owner=user)
    listed = mop("user", "list", "--which", "enabled", "--json").json
    assert {one["username"] for one in listed} >= {"olivia", "root"}
    assert "olivia" in mop("user", "list", "--search", "oliv").out
    shown = mop("user", "show", "olivia")
    assert (shown.code, "Models: toxicity" in shown.out) == (0, True), shown.err
    assert "Did you mean olivia?" in mop("user", "show", "olivai").err
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert mop("user", "disable", "olivia").code == 130
    assert User.objects.get(pk=user.pk).is_active
    assert mop("user", "disable", "olivia", "--yes", "--json").json["is_active"] is False
    assert mop("user", "reassign", "olivia", "--to", "root", "--yes").code == 0
    assert [one.username for one in model.owners.all()] == ["root"]
    assert mop("user", "enable", "olivia").code == 0
    assert mop("user", "promote", "olivia", "--json").json["is_administrator"] is True
    assert mop("user", "demote", "olivia", "-y", "--json").json["is_administrator"] is False
    assert mop("user", "sessions", "olivia", "--json").json == []
    ended = {"user": "olivia", "access_ended": True}
    assert mop("user", "end-access", "olivia", "--yes", "--json").json == ended
    assert "no longer has a second factor" in mop("user", "remove-second-factors", "olivia", "--yes").err
    assert mop("user", "reset-link", "olivia").out.startswith("http")
    User.objects.exclude(username="root").update(is_superuser=False)
    last = mop("user", "demote", "root", "--yes")
    assert (last.code, "the last administrator" in last.err) == (64, True)


def test_people_are_invited(mop: Mop):
    make_team("Search")
    made: dict[str, Any] = mop("user", "invite", "new@example.com", "--team", "Search", "--json").json
    assert made["link"].startswith("http")
    assert [one["email"] for one in mop("user", "invitations", "--json").json] == ["new@example.com"]
    assert "Search" in mop("user", "invitations").out
    assert mop("user", "withdraw", str(made["id"]), "--json").json == {"invitation": made["id"], "withdrawn": True}
    assert mop("user", "invitations", "--json").json == []


def test_teams_get_members_other_names_and_an_end(mop: Mop, root: User):
    for name in ("olivia", "sam"):
        make_user(name)
    assert mop("team", "create", "Search", "--description", "Finds.", "--json").json["name"] == "Search"
    assert mop("team", "add", "Search", "olivia", "sam", "--json").json["members"] == ["olivia", "sam"]
    assert mop("team", "remove", "Search", "sam").code == 0
    assert "members: olivia" in mop("team", "show", "Search").out
    assert mop("team", "edit", "Search", "--name", "Find", "--json").json["name"] == "Find"
    assert mop("team", "edit", "Find").code == 64
    assert "Did you mean Find?" in mop("team", "show", "Fnd").err
    assert "Find" in mop("team", "list").out
    team = Team.objects.get(name="Find")
    make_model("toxicity", owner=User.objects.get(username="olivia"), team=team)
    refused = mop("team", "delete", "Find", "--yes")
    assert (refused.code, "models: toxicity" in refused.err) == (64, True)
    other = make_team("Empty")
    make_team("another")
    assert mop("team", "delete", other.name, "--yes", "--json").json == {"deleted_team": "Empty"}
