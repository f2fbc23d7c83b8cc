"""Completion in shells, and names that may have been meant: both ask the server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from cli.commands import Result, mop_here
from mop_client.cli.near_names import near
from support.factories import make_model, make_task, make_token, make_user
from support.releases import make_service

Mop = Callable[..., Result]
Completed = Callable[[str], list[str]]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mop(
    live_server: LiveServer,
    engine_database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Mop:
    """The command, signed in to a real server that knows two models."""
    ada = make_user("ada")
    make_model("toxicity", owner=ada)
    make_model("topic", owner=ada)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    monkeypatch.setenv("MOP_TOKEN", make_token(ada))
    return lambda *arguments: mop_here(capsys, *arguments)


@pytest.fixture
def completed(mop: Mop, monkeypatch: pytest.MonkeyPatch) -> Completed:
    """What bash is told for a line."""

    def ask(line: str) -> list[str]:
        with monkeypatch.context() as asked:
            asked.setenv("_MOP_COMPLETE", "complete_bash")
            asked.setenv("COMP_WORDS", line)
            asked.setenv("COMP_CWORD", str(line.count(" ")))
            result = mop()
        assert result.code == 0, result.err
        return result.out.split()

    return ask


def test_names_of_the_server_are_completed(completed: Completed):
    assert set(completed("mop model show to")) == {"toxicity", "topic"}
    assert completed("mop model show tox") == ["toxicity"]
    assert completed("mop model show toxicity --version v") == ["v1.0.0"]
    assert completed("mop mod") == ["model"]
    assert completed("mop gate toxicity v") == completed("mop evaluation list toxicity v") == ["v1.0.0"]
    make_service("Chat")
    assert completed("mop service show Ch") == ["Chat"]


def test_without_a_server_nothing_is_completed_and_nothing_is_said(
    completed: Completed, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MOP_TOKEN", "mop_wrong")
    assert completed("mop model show to") == []
    monkeypatch.setenv("MOP_URL", "http://127.0.0.1:9")
    assert completed("mop model show to") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_its_script(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    script = mop_here(capsys, "completion", shell)
    assert "_MOP_COMPLETE" in script.out
    if found := shutil.which(shell):
        path = tmp_path / "script"
        path.write_text(script.out)
        assert subprocess.run([found, "-n", path], check=False).returncode == 0


def test_a_name_that_is_not_there_gets_the_near_ones(mop: Mop):
    result = mop("model", "show", "toxcity")
    assert result.code == 64
    assert "Did you mean toxicity?" in result.err
    assert "Did you mean v1.0.0?" in mop("model", "show", "toxicity", "--version", "v1.0").err
    assert "Did you mean" not in mop("model", "show", "nothing-like-it").err


def test_tasks_are_listed(mop: Mop):
    make_task("hate in text")
    assert [one["name"] for one in mop("task", "list", "--search", "hate", "--json").json] == ["hate in text"]
    assert "hate in text" in mop("task", "list").out
    assert mop("task", "list", "--search", "nothing", "--json").json == []


def test_the_likest_name_comes_first_in_any_case():
    assert near("TOXCITY", ["toxicity", "topic", "hate"]) == ["toxicity"]
    assert near("toxicity", ["toxicity"]) == []
