"""A real server, somebody who is signed in to it, and a model of theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from cli.commands import Result, mop_here
from mop.accounts.models import User
from mop.registry.models import Model
from support.factories import make_model, make_task, make_token, make_user

Mop = Callable[..., Result]


@pytest.fixture
def user():
    return make_user("ada")


@pytest.fixture
def signed_in(
    live_server: LiveServer, engine_database: str, user: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """A real server, and credentials for it in the environment."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    monkeypatch.setenv("MOP_TOKEN", make_token(user))


@pytest.fixture
def mop(signed_in: None, capsys: pytest.CaptureFixture[str]) -> Mop:
    return lambda *arguments: mop_here(capsys, *arguments)


@pytest.fixture
def model(user: User, engine_database: str) -> Model:
    return make_model("toxicity", owner=user, tasks=(make_task("hate in text"),))
