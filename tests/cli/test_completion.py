"""Completion in shells, and names that may have been meant: both ask the server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from cli.commands import mop
from mop.cli.near_names import near
from support.factories import make_model, make_task, make_token, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def signed_in(live_server: LiveServer, tmp_path: Path) -> dict[str, Any]:
    ada = make_user("ada")
    make_model("toxicity", owner=ada)
    make_model("topic", owner=ada)
    return {"home": tmp_path, "MOP_URL": live_server.url, "MOP_TOKEN": make_token(ada)}


def completed(line: str, signed_in: dict[str, Any]) -> list[str]:
    words = {"_MOP_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    result = mop(**signed_in, **words)
    assert result.code == 0, result.err
    return result.out.split()


def test_names_of_the_server_are_completed(signed_in: dict[str, Any]):
    assert set(completed("mop model show to", signed_in)) == {"toxicity", "topic"}
    assert completed("mop model show tox", signed_in) == ["toxicity"]
    assert completed("mop model show toxicity --version v", signed_in) == ["v1.0.0"]
    assert completed("mop mod", signed_in) == ["model"]


def test_without_a_server_nothing_is_completed_and_nothing_is_said(signed_in: dict[str, Any]):
    result = completed("mop model show to", signed_in | {"MOP_URL": "http://127.0.0.1:9"})
    assert result == []
    assert completed("mop model show to", signed_in | {"MOP_TOKEN": "mop_wrong"}) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_its_script(shell: str, tmp_path: Path):
    script = mop("completion", shell, home=tmp_path)
    assert "_MOP_COMPLETE" in script.out
    if found := shutil.which(shell):
        path = tmp_path / "script"
        path.write_text(script.out)
        assert subprocess.run([found, "-n", path], check=False).returncode == 0


def test_a_name_that_is_not_there_gets_the_near_ones(signed_in: dict[str, Any]):
    result = mop("model", "show", "toxcity", **signed_in)
    assert result.code == 64
    assert "Did you mean toxicity?" in result.err
    wrong_version = mop("model", "show", "toxicity", "--version", "v1.0", **signed_in)
    assert "Did you mean v1.0.0?" in wrong_version.err
    assert "Did you mean" not in mop("model", "show", "nothing-like-it", **signed_in).err


def test_tasks_are_listed(signed_in: dict[str, Any]):
    make_task("hate in text")
    result = mop("task", "list", "--json", **signed_in)
    assert [one["name"] for one in result.json] == ["hate in text"]
    assert "hate in text" in mop("task", "list", "--search", "hate", **signed_in).out
    assert mop("task", "list", "--search", "nothing", "--json", **signed_in).json == []


def test_the_likest_name_comes_first_in_any_case():
    assert near("TOXCITY", ["toxicity", "topic", "hate"]) == ["toxicity"]
    assert near("toxicity", ["toxicity"]) == []
