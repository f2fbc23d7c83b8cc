"""`mop token` against a portal that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from cli.commands import mop_here
from mop.accounts.token_services import authenticate_token
from mop.errors import NotAuthenticatedError
from support.factories import make_token, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_token_makes_replaces_and_revokes_narrower_ones(
    live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    monkeypatch.setenv("MOP_TOKEN", make_token(make_user(), scopes=("account:write", "models:write")))

    def asked(*argv: str) -> Any:
        result = mop_here(capsys, "token", *argv, "--json")
        assert result.code == 0
        return result.json

    made = asked("create", "build server", "--scope", "models:read", "--days", "5")
    assert made["scopes"] == ["models:read"]
    fresh = asked("rotate", str(made["id"]))
    assert authenticate_token(fresh["secret"]).name == "build server"
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(made["secret"])
    assert {one["id"] for one in asked("list")} > {made["id"], fresh["id"]}
    assert mop_here(capsys, "token", "revoke", str(fresh["id"])).code == 0
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(fresh["secret"])
    refused = mop_here(capsys, "token", "create", "all", "--scope", "datasets:write")
    assert refused.code != 0
    assert "cannot give datasets:write" in refused.err
