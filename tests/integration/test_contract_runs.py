"""Tasks and samples of a verified version, proved by a real worker in runs of their own."""

from __future__ import annotations

from typing import Any

import pytest

from support.installation import Installation, Submitted
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox
SECONDS = 90.0
# answers everything but the word `poison`
PICKY = "assert 'poison' not in item['text'], 'poison'"


@pytest.fixture(scope="module", autouse=True)
def further_tasks(shared_mop: Installation) -> None:
    with shared_mop.as_administrator():
        for name, taxonomy, labels in (
            ("same words", "Hate", ["no", "yes"]),
            ("other words", "Violence", ["a", "b"]),
        ):
            body = {"name": name, "team": "the team", "modality": "Text", "taxonomy": taxonomy}
            shared_mop.call("POST", "/tasks", body | {"label_type": "Categorical", "labels": labels})


def states(mop: Installation, revision: Submitted) -> dict[str, dict[str, Any]]:
    tasks = mop.call("GET", f"/models/{revision.model}/tasks")
    return {task["task"]: next(one for one in task["versions"] if one["version"] == revision.version) for task in tasks}


def wait_state(mop: Installation, revision: Submitted, task: str, *wanted: str) -> dict[str, Any]:
    def arrived() -> dict[str, Any] | None:
        one = states(mop, revision)[task]
        return one if one["state"] in wanted else None

    return wait_for(
        arrived,
        seconds=SECONDS,
        what=f"{task} is {wanted}",
        note=lambda: f"{mop.call('GET', f'{revision.path}/contract-runs')}\n{mop.story(revision)}",
    )


def change_sample(mop: Installation, revision: Submitted, sample: object) -> dict[str, Any]:
    """The contract run of another sample, when it has ended."""
    mop.call("PUT", f"{revision.path}/sample", {"sample_post_data": sample}, status=202)

    def ended() -> dict[str, Any] | None:
        run = mop.call("GET", f"{revision.path}/sample")["contract_run"]
        return run if run["ended_at"] else None

    return wait_for(ended, seconds=SECONDS, what="the sample is decided", note=lambda: mop.story(revision))


def test_tasks_and_samples_of_a_verified_version_are_proved_in_runs_of_their_own(mop: Installation):
    mop.start_worker()
    revision = mop.submit(write_model(mop.folders / "picky", inference=PICKY))
    mop.wait(revision, "verified")
    assert states(mop, revision)["bad words"]["state"] == "passed"

    mop.call("POST", f"/models/{revision.model}/tasks", {"task": "other words"}, status=201)
    failed = wait_state(mop, revision, "other words", "failed", "passed", "undecided")
    assert failed["state"] == "failed"
    assert failed["error"]["name"] == "TaxonomyMisMatchError"
    assert states(mop, revision)["bad words"]["state"] == "passed"
    assert mop.show(revision)["status"] == "verified"
    mop.call("DELETE", f"/models/{revision.model}/tasks/other words", status=204)
    mop.call("DELETE", f"/models/{revision.model}/tasks/bad words", status=409)

    refused = change_sample(mop, revision, {"text": "poison"})
    assert refused["state"] == "failed", refused
    assert "poison" in refused["error"]["message"]
    assert mop.show(revision)["sample_post_data"] is None
    passed = change_sample(mop, revision, {"text": "darn"})
    assert passed["state"] == "passed", passed
    assert mop.show(revision)["sample_post_data"] == {"text": "darn"}


@pytest.mark.second_tier
def test_a_contract_run_survives_the_death_of_its_worker_at_any_moment(mop: Installation):
    worker = mop.start_worker(may_die=True)
    revision = mop.submit(write_model(mop.folders / "killed"))
    mop.wait(revision, "verified")
    mop.arm(
        "before contract run running",
        "after contract run running",
        "before contract run passed",
        "after contract run passed",
    )
    mop.call("PUT", f"{revision.path}/sample", {"sample_post_data": {"text": "darn"}}, status=202)
    while mop.armed():
        wait_for(
            lambda worker=worker: worker.poll() is not None,  # type: ignore[misc]
            seconds=SECONDS,
            what="the worker is killed",
            note=lambda: f"{mop.armed()}\n{mop.output('w1')[-4000:]}",
        )
        worker = mop.start_worker(may_die=True)
    wait_for(
        lambda: mop.show(revision)["sample_post_data"] == {"text": "darn"},
        seconds=SECONDS,
        what="the sample is taken",
        note=lambda: mop.story(revision),
    )
    (run,) = mop.call("GET", f"{revision.path}/contract-runs")
    assert run["state"] == "passed"
    changes = mop.rows(
        "select data from audit_auditevent where action = 'contract_run.state' and object_id = ? order by id", run["id"]
    )
    assert [data["to"] for (data,) in changes] == ["queued", "running", "passed"]
