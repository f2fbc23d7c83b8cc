"""A worker is killed in imports of cases, in runs over them and when gates are judged, around what it keeps."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
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
ROWS, CASES = 200, 2_200
SECONDS = 120
SECRET = "nobody-may-find-this-again"
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


def test_each_case_is_there_once_and_has_one_outcome_and_each_state_of_the_evidence_one_verdict(mop: Installation):
    words_task(mop)
    rows = worded_rows(CASES)
    rows[-1][0] += f" {SECRET}"
    right = sum(("darn" in text) == (label == "yes") for text, label in rows)
    with mop.as_administrator():
        body = {"conditions": f"DSAT pass rate >= {right / CASES - 0.1:.3f}", "number": 0}
        mop.call("PUT", f"/tasks/{WORDS}/gate", body)
    worker = mop.start_worker("w1", may_die=True)

    mop.arm("before dsat chunk", "after dsat chunk", "after dsat import finished")
    content = "".join(json.dumps({"text": text, "expected_label": label}) + "\n" for text, label in rows).encode()
    file = {"task": WORDS, "file_name": "cases.jsonl", "size": len(content)}
    path = f"/dsat-imports/{mop.call('POST', '/dsat-imports', file)['id']}"
    mop.call("PUT", f"{path}/parts/0", {"data": base64.b64encode(content).decode()})
    mop.call("POST", f"{path}/start", {})
    worker = _through_deaths(mop, worker, until=lambda: mop.call("GET", path)["is_final"])
    found = mop.call("GET", path)
    assert (found["state"], found["added"], found["refused"], found["known"]) == ("finished", CASES, 0, 0)
    kept = mop.rows("SELECT source_row FROM dsat_case ORDER BY id")
    assert [row for (row,) in kept] == list(range(1, CASES + 1))
    ((contents, cases),) = mop.rows("SELECT (SELECT count(*) FROM dsat_casecontent), count(*) FROM dsat_case")
    assert contents == cases == CASES

    chunk, end = "regression test chunk", "regression test finished"
    mop.arm("before gate report", "after gate report", f"before {chunk}", f"after {chunk}", f"before {end}")
    revision = submit_small(mop, write_model(mop.folders / "model-cases"), regression_enabled=True)
    tested = f"{revision.path}/regression"
    worker = _through_deaths(mop, worker, until=lambda: _is_tested(mop, tested))
    result = mop.call("GET", tested)
    assert (result["status"], result["cases"], result["passed"]) == ("finished", CASES, right)
    ((outcomes, different),) = mop.rows("SELECT count(*), count(DISTINCT case_id) FROM regression_regressionoutcome")
    assert outcomes == different == CASES

    mop.arm("before gate report", "after gate report")
    _through_deaths(mop, worker, until=lambda: _verdicts(mop, revision.model)[-1:] == [("pass", 1)])
    assert [result for result, is_current in _verdicts(mop, revision.model) if is_current] == ["pass"]
    # versions of the other tests are judged too, and may share a state of the evidence
    digests = mop.rows("SELECT revision_id, state_digest FROM releases_gatereport")
    assert len(digests) == len(set(digests))

    ((last,),) = mop.rows("SELECT max(id) FROM dsat_case")
    assert SECRET in mop.call("POST", f"/dsat/DSAT-{last}/open", {})["content"]["text"]
    assert _files_with(mop, SECRET)
    mop.call("DELETE", f"/dsat/DSAT-{last}")
    # while somebody reads, the log of writes is emptied by a later checkpoint
    wait_for(lambda: not _files_with(mop, SECRET), seconds=60, what="nothing is left of the case")


def _files_with(mop: Installation, text: str) -> list[str]:
    """Files of the installation that hold a text: databases and their logs, store, logs of its processes."""
    found = []
    for path in mop.root.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and text.encode() in path.read_bytes():
                found.append(str(path.relative_to(mop.root)))
    return found


def _through_deaths(
    mop: Installation, worker: subprocess.Popen[bytes], *, until: Callable[[], bool]
) -> subprocess.Popen[bytes]:
    """Start the worker again whenever it dies, until every failpoint was met and `until` holds."""

    def done() -> bool:
        nonlocal worker
        if worker.poll() is not None:
            mop.kill(worker)
            worker = mop.start_worker("w1", may_die=True)
        return not mop.armed() and until()

    wait_for(done, seconds=2 * SECONDS, what="every death", note=lambda: f"{mop.armed()} {_verdicts(mop)}")
    return worker


def _is_tested(mop: Installation, path: str) -> bool:
    found = mop.api.get(path)
    return found.is_success and found.json()["is_final"]


def _verdicts(mop: Installation, model: str) -> list[tuple[Any, ...]]:
    return mop.rows(
        "SELECT g.result, g.is_current FROM releases_gatereport g JOIN registry_revision r ON r.id = g.revision_id "
        "JOIN registry_model m ON m.id = r.model_id WHERE m.name = ? ORDER BY g.judged_at",
        model,
    )


def _status(mop: Installation, model: str) -> str:
    ((status,),) = mop.rows(
        "SELECT status FROM registry_revision r JOIN registry_model m ON m.id = r.model_id WHERE m.name = ?", model
    )
    return str(status)


def _ended(mop: Installation, revision: Submitted, name: str) -> dict[str, Any] | None:
    found = mop.call("GET", f"{revision.path}/golden-sets")["items"]
    return next((one for one in found if one["golden_set"] == name and one["is_final"]), None)
