"""A worker is killed in runs over cases, before and after what it keeps: each case has one outcome."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.evaluations import WORDS, submit_small, worded_rows, words_task
from support.installation import Installation, Submitted, running_installation
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.sandbox,
    pytest.mark.second_tier,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("case runs"),
]
ROWS = 200
SECONDS = 120
_names = itertools.count(1)


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with running_installation(chaos=True, evaluation_start_seconds=1) as mop:
        yield mop


@pytest.fixture
def mop(installation: Installation) -> Iterator[Installation]:
    yield installation
    installation.disarm()
    installation.leave_clean()


@pytest.mark.parametrize("point", ["golden set run running", "golden set run chunk", "golden set run finished"])
def test_each_row_has_one_outcome_wherever_the_worker_dies(mop: Installation, point: str):
    name = f"core-{next(_names)}"
    words_task(mop)
    worker = mop.start_worker("w1")
    revision = submit_small(mop, write_model(mop.folders / f"model-{name}"))
    wait_for(lambda: _status(mop, revision.model) == "verified", seconds=SECONDS, what="the verification")
    rows = worded_rows(ROWS)
    mop.arm(f"before {point}", f"after {point}")
    content = "\n".join(json.dumps({"label": label, "text": text}) for text, label in rows)
    with mop.as_administrator():
        mop.call("POST", f"/tasks/{WORDS}/golden-sets", {"name": name, "format": "jsonl", "content": content})
    for _ in range(2):
        wait_for(lambda: worker.poll() is not None, seconds=SECONDS, what=f"a death at {point}")  # noqa: B023
        mop.kill(worker)
        worker = mop.start_worker("w1", may_die=True)
    one = wait_for(lambda: _ended(mop, revision, name), seconds=SECONDS, what="the end of the run")
    right = sum(("darn" in text) == (label == "yes") for text, label in rows)
    assert (one["status"], one["cases"], one["passed"], one["no_answer"]) == ("finished", ROWS, right, 0)
    assert [row["row"] for row in one["failures"]] == [
        number for number, (text, label) in enumerate(rows, 1) if ("darn" in text) != (label == "yes")
    ]
    kept = mop.rows(
        "SELECT o.number FROM golden_sets_goldenoutcome o JOIN golden_sets_goldenrun r ON r.id = o.run_id "
        "JOIN golden_sets_goldenversion v ON v.id = r.version_id JOIN golden_sets_goldenset s ON s.id = "
        "v.golden_set_id WHERE s.name = ? AND r.revision_id IN (SELECT q.id FROM registry_revision q JOIN "
        "registry_model m ON m.id = q.model_id WHERE m.name = ?)",
        name,
        revision.model,
    )
    assert sorted(number for (number,) in kept) == list(range(1, ROWS + 1))
    assert mop.armed() == []
    with mop.as_administrator():
        mop.call("DELETE", f"/tasks/{WORDS}/golden-sets/{name}")


def _status(mop: Installation, model: str) -> str:
    ((status,),) = mop.rows(
        "SELECT status FROM registry_revision r JOIN registry_model m ON m.id = r.model_id WHERE m.name = ?", model
    )
    return str(status)


def _ended(mop: Installation, revision: Submitted, name: str) -> dict[str, Any] | None:
    found = mop.call("GET", f"{revision.path}/golden-sets")["items"]
    return next((one for one in found if one["golden_set"] == name and one["is_final"]), None)
