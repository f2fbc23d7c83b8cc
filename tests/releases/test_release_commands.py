"""`mop release` against a portal that runs: the whole way of a release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from cli.commands import mop_here
from mop.releases.release_models import LiveSlot, Release
from mop.releases.requests.tokens import create_service_token
from mop.releases.services import change_gate
from support.factories import ACTOR, make_task, make_team, make_token, make_user
from support.releases import admin_of, make_releasable, make_service, next_version

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("engine_database")]


def test_a_release_goes_its_whole_way(
    live_server: LiveServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    service, task = make_service(), make_task()
    revision = make_releasable(task)
    next_version(revision.model)
    name, admin = revision.model.name, admin_of(service)
    _, secret = create_service_token(actor=ACTOR, user=admin, service=service, name="deployer")
    tokens = {"owner": make_token(revision.model.owners.get()), "admin": make_token(admin), "service": secret}

    def asked(who: str, *argv: str, code: int = 0) -> Any:
        monkeypatch.setenv("MOP_TOKEN", tokens[who])
        result = mop_here(capsys, "release", *argv, "--json")
        assert result.code == code, result.err
        return result.json if code == 0 else result.err

    assert asked("owner", "request", name, "v1.0.0", service.name, "--check")["obstacle"] == ""
    first = str(asked("owner", "request", name, "v1.0.0", service.name, "-m", "The first.")["number"])
    assert asked("admin", "show", first)["comment"] == "The first."
    refused = asked("owner", "approve", first, "-m", "mine", code=64)
    assert "may not decide" in refused
    change_gate(actor=ACTOR, owner=task, conditions="DSAT pass rate >= 95 % or none")
    assert "The evidence changed" in asked("admin", "approve", first, "-m", "yes", code=64)
    digest = asked("admin", "show", first, "--evidence")["digest"]
    assert asked("admin", "approve", first, "-m", "yes", "--evidence", digest)["state"] == "approved"
    assert asked("service", "acknowledge", first)["went_live"] == "acknowledged"
    second = str(asked("owner", "request", name, "v1.0.1", service.name, "--taxonomy", "Hate")["number"])
    asked("admin", "approve", second, "-m", "yes", "--canary", "5")
    assert asked("admin", "canary", second, "--share", "50")["state"] == "approved"
    assert asked("admin", "canary", second, "--end", "-m", "slow")["is_held"]
    assert asked("admin", "released", second)["state"] == "released"
    (back,) = asked("admin", "rollback", second, "-m", "no")
    assert LiveSlot.objects.get().live_id == back["number"]
    assert [one["number"] for one in asked("service", "list", "--state", "live")] == [back["number"]]

    def of_service(*argv: str) -> Any:
        return mop_here(capsys, "service", *argv, "--json").json

    monkeypatch.setenv("MOP_TOKEN", tokens["admin"])
    assert [one["release"] for one in of_service("live", service.name)] == [back["number"]]
    assert of_service("history", service.name)[0]["release"] == back["number"]
    made = of_service("token", "create", service.name, "puller", "--scope", "bundle:read", "--days", "7")
    assert made["secret"].startswith("mops_")
    assert of_service("token", "revoke", service.name, str(made["number"]), "--yes")["revoked"]
    assert "revoked" in mop_here(capsys, "service", "token", "list", service.name).out
    assert "Did you mean Content Safety?" in mop_here(capsys, "service", "show", "Content Safty").err
    assert asked("admin", "retire", str(back["number"]), "-m", "over")["state"] == "retired"
    third = str(asked("owner", "request", name, "v1.0.1", service.name)["number"])
    assert asked("admin", "reject", third, "-m", "no")["state"] == "rejected"
    fourth = str(asked("owner", "request", name, "v1.0.1", service.name)["number"])
    assert asked("owner", "withdraw", fourth)["state"] == "withdrawn"
    assert Release.objects.count() == 5
    shown = mop_here(capsys, "release", "list")
    assert shown.code == 0
    assert "withdrawn" in shown.out


def test_an_admin_adds_and_removes_webhooks_of_a_service(
    live_server: LiveServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    settings: Any,
):
    service = make_service()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    monkeypatch.setenv("MOP_TOKEN", make_token(admin_of(service)))

    def of_service(*argv: str) -> Any:
        result = mop_here(capsys, "service", "webhook", *argv, "--json")
        assert result.code == 0, result.err
        return result.json

    settings.MOP_WEBHOOK_HOSTS = ["hooks.example"]
    url = "https://hooks.example/a"
    made = of_service("add", service.name, url, "--kind", "release.approved")
    assert [one["kinds"] for one in of_service("list", service.name)] == [["release.approved"]]
    text = mop_here(capsys, "service", "webhook", "list", service.name).out
    assert url in text
    assert made["secret"] not in text
    assert of_service("remove", service.name, str(made["number"]), "--yes")["removed"]
    assert of_service("list", service.name) == []


def test_an_administrator_defines_a_task(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    monkeypatch.setenv("MOP_TOKEN", make_token(make_user(is_administrator=True)))
    make_team("Moderation")
    owner = make_user("olivia")
    told = ("--team", "Moderation", "--taxonomy", "Hate", "--label-type", "Ordinal", "--labels", "low, mid,high")
    result = mop_here(capsys, "task", "create", "hate levels", *told, "--owner", owner.username, "--json")
    assert result.code == 0, result.err
    assert result.json["labels"] == ["low", "mid", "high"]
    assert result.json["owners"] == [owner.username]


def test_an_admin_changes_a_service(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    service = make_service()
    monkeypatch.setenv("MOP_TOKEN", make_token(admin_of(service)))
    changed = mop_here(capsys, "service", "edit", service.name, "--policy", "BLOCK", "--contact", "us", "--json")
    assert changed.code == 0, changed.err
    assert (changed.json["policy"], changed.json["contact"]) == ("block", "us")
    assert mop_here(capsys, "service", "edit", service.name).code == 64
