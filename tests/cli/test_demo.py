from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from cli.commands import free_port, mop, started

# one process for this file, so that its installation is made once
pytestmark = [pytest.mark.sandbox, pytest.mark.index, pytest.mark.xdist_group("cli-demo"), pytest.mark.second_tier]

STATUSES = (
    "created",
    "dataDownloaded",
    "environmentCreating",
    "environmentCreated",
    "endpointCreating",
    "endpointCreated",
    "deploymentCreating",
    "deploymentCreated",
)


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One demonstration for this file, as somebody calls it again and again."""
    return tmp_path_factory.mktemp("demo") / "home"


def test_the_sample_is_verified_every_time_and_every_stage_is_shown_with_its_time(tmp_path: Path, demo_home: Path):
    versions = set()
    for _ in range(2):
        result = mop("demo", "--exit", "--port", str(free_port()), "--home", str(demo_home), home=tmp_path, seconds=300)
        assert result.code == 0, result.err
        versions.update(re.findall(r"text-moderation (v1\.0\.\d+) is verified", result.out))
        shown = [line.split() for line in result.err.splitlines()]
        for status in STATUSES:
            assert [line[2] for line in shown if line[:1] == [status] and len(line) > 2 and line[2] == "s"] == ["s"]
    assert len(versions) == 2
    people = demo_home / "people.json"
    assert people.stat().st_mode & 0o777 == 0o600
    assert json.loads(people.read_text())["token"] not in result.out + result.err


@pytest.mark.slow
def test_at_the_weakest_level_the_sample_is_verified_and_the_result_says_what_gives_more(
    tmp_path: Path, demo_home: Path
):
    result = mop(
        *("demo", "--exit", "--port", str(free_port()), "--home", str(demo_home)),
        home=tmp_path,
        MOP_SANDBOX_LEVEL="3",
    )
    assert result.code == 0, result.err
    assert "sandbox level 3, which MOP takes for its own sample alone. Level 2" in result.out


def test_it_serves_on_after_the_result_for_the_people_it_names(tmp_path: Path, demo_home: Path):
    port = str(free_port())
    with started("demo", "--port", port, "--home", str(demo_home), home=tmp_path, executed=True) as process:
        assert process.stdout is not None
        shown = {}
        for line in process.stdout:
            words = line.split()
            if words[1:3] and words[0] in {"contributor", "administrator"}:
                shown[words[1]] = words[3]
            if "remove that folder" in line:
                break
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as browser:
            page = browser.get("/accounts/login/")
            assert page.status_code == 200
            form = {"login": "demo", "password": shown["demo"], "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            assert browser.post("/accounts/login/", data=form).status_code == 302
        assert set(shown) == {"demo", "admin"}
        assert process.poll() is None
        process.terminate()
        assert process.wait(timeout=30) == 0


def test_without_samples_it_is_refused(tmp_path: Path):
    result = mop(
        "demo", "--exit", "--samples", str(tmp_path), "--home", str(tmp_path / "demo"), home=tmp_path, seconds=300
    )
    assert result.code == 64
    assert "--samples" in result.err
    assert not (tmp_path / "demo").exists()
