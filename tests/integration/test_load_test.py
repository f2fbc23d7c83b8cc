"""Load tests of a real service by a real worker: to their end over a crash, alone on their host, cancelled."""

from __future__ import annotations

import functools
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from environments.packages import PackageIndex
from mop.engine.host_lock import WAITS_FOR_ONE
from support.installation import Installation, Submitted
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox
SECONDS = 90.0


def load_test(mop: Installation, revision: Submitted) -> dict[str, Any]:
    shown: dict[str, Any] = mop.call("GET", f"{revision.path}/load-test")
    return shown


def wait_state(mop: Installation, revision: Submitted, *states: str) -> dict[str, Any]:
    def arrived() -> dict[str, Any] | None:
        shown = load_test(mop, revision)
        return shown if shown["state"] in states else None

    return wait_for(
        arrived,
        seconds=SECONDS,
        what=f"the load test is {states}",
        note=lambda: f"{load_test(mop, revision)}\n{mop.story(revision)}",
    )


DEATHS = ("after load test running", "before load test step", "after load test step", "before load test finished")


@pytest.mark.second_tier
def test_a_load_test_follows_verification_and_goes_on_after_the_last_step_however_often_the_worker_is_killed(
    mop: Installation, index: PackageIndex
):
    mop.arm(*DEATHS)
    worker = mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "killed"), load_test_option="PerConcurrency")
    mop.wait(revision, "verified")
    kept: list[dict[str, Any]] = []
    while mop.armed():
        wait_for(
            lambda worker=worker: worker.poll() is not None,  # type: ignore[misc]
            seconds=SECONDS,
            what="the worker is killed",
            note=lambda: f"{mop.armed()} {load_test(mop, revision)}\n{mop.output('w1')[-4000:]}",
        )
        steps = [step for test in load_test(mop, revision)["tests"] for step in test["steps"]]
        assert steps[: len(kept)] == kept  # what was measured before a crash is what is shown
        kept = steps
        worker = mop.start_worker(may_die=True)
    shown = wait_state(mop, revision, "finished", "failed")
    (test,) = shown["tests"]
    assert (shown["state"], test["error"]) == ("finished", None)
    assert [step["target"] for step in test["steps"]] == [1, 10]
    assert test["steps"][: len(kept)] == kept
    for step in test["steps"]:
        assert step["requests"]["successful"] == step["requests"]["total"] > 0
        assert step["rps"] > 0
        assert 0 < step["latency_ms"]["p50"] <= step["latency_ms"]["p99"]
        assert step["utilization"]["cpu"] > 0
        assert 0 < step["utilization"]["memory"] < 100
    digest = mop.show(revision)["artifact_digest"]
    conditions = test["conditions"]
    assert (conditions["artifact_digest"], conditions["seed"], conditions["format"]) == (digest, test["seed"], "model")
    assert conditions["configuration"]["instance_type"] == "Standard_F4s_v2"
    assert conditions["cpus"] > 0
    assert conditions["memory_bytes"] > 0
    states = mop.rows(
        "select data from audit_auditevent where action = 'loadtest.state' and object_id = ? order by id", test["id"]
    )
    assert [data["to"] for (data,) in states] == ["queued", "running", "finished"]
    log = "\n".join(mop.log(revision, "load-test"))
    assert "[Text] the service is ready after" in log
    assert '[Text] {"' in log or "[Text] [" in log, log  # the service's own lines
    assert all(f"[Text] step at {target} begins" in log for target in (1, 10))  # a kill takes the last 0.3 s along
    assert log.endswith("[Text] ended: finished")
    title = f"The load test of {revision.model} {revision.version} has finished"
    assert mop.rows("select kind from notifications_notification where title = ?", title) == [("loadTestFinished",)]


# by PerRPS, which leaves the processors to the others: as many requests as can be answered are of no use here
@pytest.mark.second_tier
def test_a_deferred_load_test_lets_waiting_versions_be_verified_first(mop: Installation, index: PackageIndex):
    mop.arm("before load test step")
    worker = mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "deferred"), load_test_option="PerRPS")
    wait_for(lambda: worker.poll() is not None, seconds=SECONDS, what="the worker is killed in its load test")
    other = mop.submit(write_model(mop.folders / "first"))  # both wait for the next worker
    mop.start_worker(load_test_deferred=True)
    mop.wait(other, "verified")
    (test,) = wait_state(mop, revision, "finished", "failed")["tests"]
    log = mop.log(revision, "load-test")
    assert "[Text] waits until no version waits for verification" in log
    assert all(any(line.startswith(f"[Text] step at {target}: ") for line in log) for target in (1, 10))
    ((verified,),) = mop.rows(
        "select at from registry_revisionevent where status = 'verified' and revision_id = ?", other.id.replace("-", "")
    )
    steps = mop.rows("select at from loadtest_loadteststep where test_id = ?", test["id"].replace("-", ""))
    assert len(steps) == 2
    assert all(at > verified for (at,) in steps)


@pytest.mark.second_tier
def test_a_deferred_load_test_gives_way_between_two_of_its_steps(mop: Installation, index: PackageIndex):
    mop.start_worker(load_test_deferred=True, load_test_step_seconds=6)
    folder = write_model(mop.folders / "meanwhile")
    revision = mop.submit(write_model(mop.folders / "gives-way"), load_test_option="PerRPS")
    wait_for(
        lambda: any(test["progress"] for test in load_test(mop, revision)["tests"]),
        seconds=SECONDS,
        what="live numbers of the first step",
        note=lambda: mop.story(revision),
    )
    other = mop.submit(folder)
    mop.wait(other, "verified")
    (test,) = wait_state(mop, revision, "finished", "failed")["tests"]
    assert test["error"] is None
    ((verified,),) = mop.rows(
        "select at from registry_revisionevent where status = 'verified' and revision_id = ?", other.id.replace("-", "")
    )
    ((first,), (second,)) = mop.rows(
        "select at from loadtest_loadteststep where test_id = ? order by at", test["id"].replace("-", "")
    )
    assert first < verified < second
    log = mop.log(revision, "load-test")
    waits = log.index("[Text] waits until no version waits for verification")
    ends = [number for number, line in enumerate(log) if line.startswith("[Text] step at ")]
    assert min(ends) < waits < max(ends)
    assert sum("the service is ready after" in line for line in log) == 2  # it ended, so that the host was free


def test_nothing_else_runs_on_the_host_during_a_load_test_and_cancelling_it_ends_it_at_once(
    mop: Installation, index: PackageIndex
):
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "alone"))
    mop.wait(revision, "verified")
    assert load_test(mop, revision)["state"] == "notStarted"
    body = {"option": "PerRPS", "steps": [20], "duration": 600, "seed": 7}
    assert mop.call("POST", f"{revision.path}/load-test", body, status=201)["tests"][0]["seed"] == 7
    wait_for(
        lambda: any(test["progress"] for test in load_test(mop, revision)["tests"]),
        seconds=SECONDS,
        what="live numbers of the running step",
        note=lambda: mop.story(revision),
    )
    other = mop.submit(write_model(mop.folders / "other"))
    wait_for(lambda: WAITS_FOR_ONE in mop.log(other, "build"), seconds=SECONDS, what="the other one says that it waits")
    assert mop.show(other)["status"] == "created"
    assert not mop.processes("mop.storage")
    shown = mop.call("POST", f"{revision.path}/load-test/cancel")
    assert (shown["state"], shown["tests"][0]["steps"]) == ("cancelled", [])
    mop.wait(other, "verified")
    assert load_test(mop, revision)["state"] == "cancelled"


FRONT, GUNICORN, GENERATOR = "mop.serving.front", "mop.serving.gunicorn_front", "mop.loadtest.generator"
MODEL = "model_process.py"


def kill_in_a_step(mop: Installation, revision: Submitted, *victims: str, seconds: int) -> None:
    """Run a step of this length; kill the processes of these names one after the other, each while it is counted."""
    body = {"option": "PerRPS", "steps": [20], "duration": seconds, "warm_up": 0}
    mop.call("POST", f"{revision.path}/load-test", body, status=201)
    generators: list[int] = []
    for victim in victims:
        wait_for(
            functools.partial(is_counted, mop, revision, before=generators),
            seconds=SECONDS,
            what="the step is counted",
            note=lambda: f"{load_test(mop, revision)}\n{mop.story(revision)}",
        )
        generators = processes(mop, GENERATOR)
        found = processes(mop, victim)
        # of a model the innermost process, the others are its cage; of gunicorn the master, the others are its workers
        os.kill(found[-1] if victim == MODEL else found[0], signal.SIGKILL)


def is_counted(mop: Installation, revision: Submitted, *, before: list[int]) -> bool:
    """Whether a generator, none of those before, tells of requests."""
    now = processes(mop, GENERATOR)
    progress = load_test(mop, revision)["tests"][0]["progress"]
    return bool(now and progress and progress["requests"]) and not set(now) & set(before)


def processes(mop: Installation, name: str) -> list[int]:
    """Who is called so, the oldest first."""
    return sorted(one.pid for one in mop.processes(name))


@pytest.mark.second_tier
@pytest.mark.parametrize(("server", "victim"), [("mop", FRONT), ("mop", GENERATOR), ("gunicorn", GUNICORN)])
def test_a_step_whose_service_or_generator_is_killed_is_measured_again_and_keeps_nothing_of_the_broken_one(
    mop: Installation, index: PackageIndex, server: str, victim: str
):
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / f"loses-{victim}"), server=server)
    mop.wait(revision, "verified")
    kill_in_a_step(mop, revision, victim, seconds=4)
    (test,) = wait_state(mop, revision, "finished", "failed")["tests"]
    assert (test["state"], test["ended"], test["error"]) == ("finished", "finished", None), mop.story(revision)
    (step,) = test["steps"]
    assert step["requests"] == {"total": 80, "successful": 80, "user_failed": 0, "system_failed": 0}


@pytest.mark.second_tier
@pytest.mark.parametrize(
    ("victim", "error", "said"),
    [
        (FRONT, "HostLostError", "The service was lost in the middle of the step at 20"),
        (GENERATOR, "LoadGeneratorLostError", "The load generator ended with status -9 and no result"),
    ],
)
def test_what_is_killed_in_every_try_fails_the_load_test_with_the_reason_and_without_a_number(
    mop: Installation, index: PackageIndex, victim: str, error: str, said: str
):
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / f"always-loses-{victim}"))
    mop.wait(revision, "verified")
    kill_in_a_step(mop, revision, victim, victim, victim, seconds=600)
    (test,) = wait_state(mop, revision, "finished", "failed")["tests"]
    assert (test["state"], test["error"]["name"], test["steps"]) == ("failed", error, [])
    assert said in test["error"]["message"]
    assert test["error"]["hint"].startswith(("Enable", "Run"))


@pytest.mark.second_tier
def test_a_model_process_that_is_killed_in_a_step_is_replaced_and_what_it_cost_is_counted(
    mop: Installation, index: PackageIndex
):
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "loses-a-model-process"))
    mop.wait(revision, "verified")
    kill_in_a_step(mop, revision, MODEL, seconds=4)
    (test,) = wait_state(mop, revision, "finished", "failed")["tests"]
    assert test["state"] == "finished", mop.story(revision)
    (step,) = test["steps"]
    requests = step["requests"]
    if step["ended"] == "complete":  # one failed request is over 1 %: enough to end a step of 80 early
        assert requests["total"] == 80
    assert requests["total"] > 0
    assert requests["successful"] + requests["system_failed"] == requests["total"]
    assert sum(step["failures"].values()) == requests["system_failed"]


def test_a_deleted_version_takes_its_load_test_along(mop: Installation, index: PackageIndex):
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "deleted"))
    mop.wait(revision, "verified")
    mop.call("POST", f"{revision.path}/load-test", {"steps": [1], "duration": 600}, status=201)
    wait_state(mop, revision, "running")
    mop.call("DELETE", f"/models/{revision.model}", status=204)
    mop.assert_idle()
    assert mop.rows("select count(*) from loadtest_loadtest where state in ('queued', 'running')") == [(0,)]


def test_a_load_test_that_can_not_be_run_fails_with_the_models_error_and_one_that_is_not_answered_ends_by_its_rule(
    mop: Installation, index: PackageIndex
):
    mop.start_worker()
    # MOP's inputs of the verification have other lengths than the payload of a load test
    refusing = mop.submit(
        changed(mop, "refusing", "mop_input.text}", "mop_input.text[: 1 // (len(mop_input.text) - 1000)]}")
    )
    failing = mop.submit(
        changed(mop, "failing", 'return {"bad"', '1 // (len(item["text"]) - 1000)\n        return {"bad"')
    )
    for revision in (refusing, failing):
        mop.wait(revision, "verified")
        mop.call("POST", f"{revision.path}/load-test", {"steps": [1, 2], "duration": 0.5, "warm_up": 0}, status=201)
    (test,) = wait_state(mop, refusing, "finished", "failed")["tests"]
    assert (test["state"], test["error"]["name"], test["steps"]) == ("failed", "UserScriptException", [])
    assert "ZeroDivisionError" in test["error"]["message"]
    (test,) = wait_state(mop, failing, "finished", "failed")["tests"]
    assert (test["state"], test["ended"]) == ("finished", "failing")
    (step,) = test["steps"]
    assert step["requests"]["successful"] == 0
    assert step["failures"].keys() == {"status 500"}


def changed(mop: Installation, name: str, old: str, new: str) -> Path:
    """A model folder with something else in its script."""
    folder = write_model(mop.folders / name)
    script = folder / "src" / "inference.py"
    script.write_text(script.read_text().replace(old, new, 1))
    return folder
