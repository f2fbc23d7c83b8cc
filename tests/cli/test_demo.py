from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from cli.commands import free_port, mop, started

# one process for this file, so that its installation is made once
pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.index,
    pytest.mark.xdist_group("cli-demo"),
    pytest.mark.second_tier,
    pytest.mark.timeout(600),
]

SAMPLES = Path(__file__).parents[2] / "samples"
ROLES = {"contributor", "administrator"}
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
    """The second time it serves on after the result, for the people it names."""
    result = mop("demo", "--exit", "--port", str(free_port()), "--home", str(demo_home), home=tmp_path, seconds=300)
    assert result.code == 0, result.err
    assert_each_stage_has_its_time(result.err)
    port = str(free_port())
    said = []
    with started("demo", "--port", port, "--home", str(demo_home), home=tmp_path, executed=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if "remove that folder" in line:
                break
        words = [line.split() for line in said]
        shown = {line[1]: line[3] for line in words if len(line) > 3 and line[0] in ROLES}
        assert set(shown) == {"demo", "admin"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as browser:
            page = browser.get("/accounts/login/")
            assert page.status_code == 200
            form = {"login": "demo", "password": shown["demo"], "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            assert browser.post("/accounts/login/", data=form).status_code == 302
        assert f"{SAMPLES.as_uri()}/" in "".join(said)  # where a folder of one's own may stand
        assert process.poll() is None
        process.terminate()
        assert process.wait(timeout=30) == 0
    told = (tmp_path / "stderr").read_text()
    assert_each_stage_has_its_time(told)
    assert len(set(re.findall(r"text-moderation (v1\.0\.\d+) is verified", "".join([result.out, *said])))) == 2
    people = demo_home / "people.json"
    assert people.stat().st_mode & 0o777 == 0o600
    assert json.loads(people.read_text())["token"] not in "".join([result.out, result.err, told, *said])


def assert_each_stage_has_its_time(told: str) -> None:
    shown = [line.split() for line in told.splitlines()]
    for status in STATUSES:
        assert [line[2] for line in shown if line[:1] == [status] and len(line) > 2 and line[2] == "s"] == ["s"]


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


def test_without_samples_it_is_refused(tmp_path: Path):
    result = mop(
        "demo", "--exit", "--samples", str(tmp_path), "--home", str(tmp_path / "demo"), home=tmp_path, seconds=300
    )
    assert result.code == 64
    assert "--samples" in result.err
    assert not (tmp_path / "demo").exists()
