"""The API of load tests, and the command that follows one over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from cli.commands import Result, mop_here
from mop.accounts.models import User
from mop.loadtest.models import LoadTest
from mop.registry.models import Model, Revision
from mop_client.cli.client import Server
from support.api import Api
from support.factories import make_token
from support.load_tests import enabled, finished, running, step_result

PATH = "/models/toxicity/revisions/v1.0.0/load-test"
STEPS = [step_result(1, 90.0), step_result(10, 400.0)]


@pytest.fixture
def revision(model: Model) -> Revision:
    revision = model.revisions.get()
    Revision.objects.filter(pk=revision.pk).update(status="verified")
    revision.refresh_from_db()
    return revision


@pytest.fixture
def api(owner: User) -> Api:
    return Api(token=make_token(owner))


def test_the_state_without_and_with_a_run(api: Api, revision: Revision):
    empty = api.get(PATH).json()
    assert (empty["state"], empty["is_final"], empty["run"], empty["tests"]) == ("notStarted", True, None, [])
    finished(enabled(revision), STEPS)
    running(enabled(revision), STEPS[:1])
    newest = api.get(PATH).json()
    assert (newest["state"], newest["run"], newest["runs"]) == ("running", 2, [2, 1])
    (test,) = newest["tests"]
    assert test["progress"]["rps"] == 392.6
    assert [step["rps"] for step in test["steps"]] == [90.0]
    first = api.get(PATH, run=1).json()
    assert (first["state"], first["tests"][0]["ended"]) == ("finished", "plateau")
    assert api.get(PATH, run=3).status_code == 404
    assert api.get(PATH, run=0).status_code == 422


def test_a_run_is_enabled_as_asked_and_cancelled(api: Api, revision: Revision):
    body = {
        "option": "PerRPS",
        "steps": [5, 6],
        "duration": 1,
        "warm_up": 0,
        "budget": 9,
        "seed": 4,
        "arrivals": "poisson",
    }
    answer = api.post(PATH, body)
    assert answer.status_code == 201
    (test,) = answer.json()["tests"]
    asked = {
        name: test[name] for name in ("strategy", "targets", "duration_s", "warm_up_s", "budget_s", "seed", "arrivals")
    }
    assert asked == {
        "strategy": "PerRPS",
        "targets": [5, 6],
        "duration_s": 1,
        "warm_up_s": 0,
        "budget_s": 9,
        "seed": 4,
        "arrivals": "poisson",
    }
    assert api.post(PATH, {}).json()["name"] == "ConflictError"
    assert api.post(f"{PATH}/cancel").json()["state"] == "cancelled"
    assert api.post(f"{PATH}/cancel").status_code == 409


@pytest.mark.parametrize(
    "body", [{"steps": []}, {"steps": [3, 1]}, {"duration": 0}, {"seed": -1}, {"option": "off"}, {"unknown": 1}]
)
def test_what_can_not_be_run_is_refused(api: Api, revision: Revision, body: dict):
    assert api.post(PATH, body).status_code == 422
    assert not LoadTest.objects.exists()


@pytest.fixture
def mop(
    transactional_db: None,
    live_server: LiveServer,
    engine_database: str,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Result]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", live_server.url)
    monkeypatch.setenv("MOP_TOKEN", make_token(owner))
    return lambda *arguments: mop_here(capsys, "model", "load-test", "toxicity", *arguments)


def test_the_command_shows_a_run_with_its_steps_and_its_exit_code(mop: Callable[..., Result], revision: Revision):
    finished(enabled(revision), STEPS)
    shown = mop("--show")
    assert shown.code == 0
    assert "Text: 10 clients: 400.0 answers/s" in shown.err
    assert [line.split()[0] for line in shown.out.splitlines()[1:3]] == ["1", "10"]
    assert mop("--show", "--json").json["tests"][0]["steps"][1]["rps"] == 400.0
    finished(enabled(revision), [step_result(1, 90.0, failed=500)], ended="failing")
    assert mop("--show").code == 1


def test_the_command_starts_a_run_follows_it_and_tells_that_it_was_cancelled(
    mop: Callable[..., Result], revision: Revision, api: Api, monkeypatch: pytest.MonkeyPatch
):
    # somebody else cancels it while the command waits for its next look
    monkeypatch.setattr("mop_client.cli.model_load_test.time.sleep", lambda _seconds: api.post(f"{PATH}/cancel"))
    done = mop("--version", "v1.0.0", "--strategy", "per-rps", "--steps", "3,4", "--duration", "2", "--seed", "5")
    assert done.code == 3
    assert "Text: queued" in done.err
    plan = LoadTest.objects.get().plan
    assert (plan["strategy"], plan["targets"], plan["duration_s"], plan["seed"]) == ("PerRPS", [3, 4], 2.0, 5)
    assert mop("--cancel").code == 64


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--show", "--seed", "5"), "--show and --cancel start nothing"),
        (("--cancel", "--steps", "1"), "--show and --cancel start nothing"),
        (("--steps", "1,x"), "is not a list of numbers"),
        (("--steps", "1", "--maximum", "10"), "not both"),
    ],
)
def test_options_that_do_not_go_together_ask_for_nothing(
    capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...], said: str
):
    refused = mop_here(capsys, "model", "load-test", "toxicity", *wrong)
    assert (refused.code, said in refused.err) == (64, True), refused.err


def test_a_server_that_tells_of_load_tests_in_another_form_is_3_and_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("MOP_URL", "http://mop.example.com")
    monkeypatch.setenv("MOP_TOKEN", "mop_x")
    monkeypatch.setattr(Server, "get", lambda *_path, **_params: {"state": "levitating", "tests": []})
    result = mop_here(capsys, "model", "load-test", "toxicity", "--version", "v1", "--show")
    assert (result.code, "in a form that this command does not know" in result.err) == (3, True), result.err
    assert "Install the version of MOP that the server runs" in result.err
