"""Worker, service and reader of an evaluation are killed in the middle of 100,000 rows: every row is counted once."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from support.evaluations import (
    approved_dataset,
    evaluations,
    finished,
    matrix,
    submit_small,
    worded_file,
    worded_matrix,
    words_task,
)
from support.installation import Installation, running_installation
from support.model_folders import write_model
from support.postgres import running_postgres
from support.waiting import wait_for

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.sandbox,
    pytest.mark.second_tier,
    pytest.mark.timeout(1500),
    pytest.mark.xdist_group("evaluation"),
]
ROWS = 100_000
MOVED_ROWS = 60_000
SECONDS = 600
_names = itertools.count(1)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    options = {"evaluation_start_seconds": 1, "evaluation_budget_model": 1000}
    if request.param == "sqlite":
        with running_installation(chaos=True, **options) as mop:
            yield mop
        return
    with running_postgres() as server, running_installation(chaos=True, database_url=server.url(), **options) as mop:
        yield mop


@pytest.fixture
def mop(installation: Installation) -> Iterator[Installation]:
    yield installation
    installation.disarm()
    installation.leave_clean()


def test_a_killed_worker_service_and_reader_lose_no_row_and_count_none_twice(mop: Installation):
    worker = mop.start_worker("w1")
    words_task(mop)
    approved_dataset(mop, "large", worded_file(ROWS))
    revision = submit_small(mop, write_model(mop.folders / f"killed-{next(_names)}"))
    # the reader first: it is far ahead of the model, and ends within seconds
    _kill_one(mop, "mop.datasets.reading.rows_job")
    _reached(mop, revision.model, "large", 20)
    _kill_one(mop, "mop.serving.front")
    _reached(mop, revision.model, "large", 40)
    mop.kill(worker)
    mop.start_worker("w1")
    _reached(mop, revision.model, "large", 55)
    (one,) = finished(mop, revision.model, datasets=("large",), seconds=SECONDS)
    assert np.array_equal(matrix(mop, one), worded_matrix(ROWS))
    assert (one["rows"], one["no_answer"], one["attempt"]) == (ROWS, 0, 1)
    # measured once, whatever was killed
    assert mop.rows("SELECT count(*) FROM evaluation_measurement WHERE model_name = ?", revision.model) == [(1,)]
    # else the models of the tests that follow are evaluated on it too, and their deaths come in that evaluation
    mop.call("DELETE", "/datasets/large")


@pytest.mark.parametrize("failpoint", ["evaluation chunk", "evaluation running", "evaluation finished"])
def test_a_worker_that_dies_at_a_commit_goes_on_from_there(mop: Installation, failpoint: str):
    name = f"commit-{next(_names)}"
    words_task(mop)
    worker = mop.start_worker("w1")
    approved_dataset(mop, name, worded_file(400))
    mop.arm(f"before {failpoint}", f"after {failpoint}")
    revision = submit_small(mop, write_model(mop.folders / f"model-{name}"))
    for _ in range(2):
        wait_for(lambda: worker.poll() is not None, seconds=SECONDS, what=f"a death at {failpoint}")  # noqa: B023
        mop.kill(worker)
        worker = mop.start_worker("w1", may_die=True)
    (one,) = [one for one in finished(mop, revision.model, datasets=(name,), seconds=SECONDS) if one["name"] == name]
    assert np.array_equal(matrix(mop, one), worded_matrix(400))
    assert mop.armed() == []
    mop.call("DELETE", f"/datasets/{name}")


@pytest.mark.parametrize("installation", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_an_evaluation_of_a_lost_host_goes_on_on_another(mop: Installation):
    quick = {"worker_beat_seconds": 1, "worker_stale_seconds": 6}
    words_task(mop)
    lost = mop.start_worker("lost", **quick)
    approved_dataset(mop, "moved", worded_file(MOVED_ROWS))
    revision = submit_small(mop, write_model(mop.folders / "moved-model"))
    _reached(mop, revision.model, "moved", 20)
    # killed before the other starts: a quick machine has every row before a second worker is ready
    mop.kill(lost)
    assert _hosts(mop, revision.model) == [("lost",)]
    assert _unfinished(mop, revision.model, "moved")
    mop.start_worker("other", **quick)
    (one,) = finished(mop, revision.model, datasets=("moved",), seconds=SECONDS)
    assert np.array_equal(matrix(mop, one), worded_matrix(MOVED_ROWS))
    assert (one["rows"], one["attempt"], _hosts(mop, revision.model)) == (MOVED_ROWS, 1, [("other",)])
    mop.start_worker("lost", **quick)  # the host is back, and removes what its killed worker left
    mop.call("DELETE", "/datasets/moved")


def _hosts(mop: Installation, model: str) -> list[tuple[str]]:
    """Where a model is evaluated on the dataset; models of earlier tests may be evaluated on it too."""
    query = (
        "SELECT e.host FROM evaluation_evaluation e JOIN datasets_dataset d ON d.id = e.dataset_id"
        " JOIN registry_revision r ON r.id = e.revision_id JOIN registry_model m ON m.id = r.model_id"
        " WHERE d.name = ? AND m.name = ?"
    )
    return mop.rows(query, "moved", model)


def _unfinished(mop: Installation, model: str, dataset: str) -> bool:
    return any(one["name"] == dataset and one["progress"] < 100 for one in evaluations(mop, model))


def _reached(mop: Installation, model: str, dataset: str, progress: int) -> None:
    wait_for(
        lambda: any(one["name"] == dataset and one["progress"] >= progress for one in evaluations(mop, model)),
        seconds=SECONDS,
        what=f"{progress} % of the rows",
        note=lambda: str(evaluations(mop, model)),
    )


def _kill_one(mop: Installation, word: str) -> None:
    found = wait_for(lambda: mop.processes(word), seconds=120, what=f"a process of {word}")
    os.kill(found[0].pid, signal.SIGKILL)
