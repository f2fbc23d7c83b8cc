"""Evaluations of small real models in real services: started by themselves, counted, run again, cancelled."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mop.storage.artifact_store import ArtifactStore
from mop.storage.manifest import Manifest, ManifestFile
from support.datasets import text_file
from support.evaluations import (
    WORDS,
    approved_dataset,
    document,
    evaluations,
    finished,
    matrix,
    submit_small,
    worded_file,
    worded_matrix,
    worded_rows,
    words_task,
)
from support.installation import Installation
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox


def test_a_verified_version_is_evaluated_on_an_approved_dataset(mop: Installation):
    mop.start_worker(evaluation_start_seconds=1)
    words_task(mop)
    approved_dataset(mop, "before", worded_file(400))
    revision = submit_small(mop, write_model(mop.folders / "evaluated"))
    mop.wait(revision, "verified")
    (one,) = finished(mop, revision.model, datasets=("before",))
    assert np.array_equal(matrix(mop, one), worded_matrix(400))
    assert (one["rows"], one["no_answer"], one["progress"]) == (400, 0, 100)
    assert one["accuracy"] == 0.9
    shown = document(mop, one)
    assert {(found["column"], found["value"]) for found in shown["slices"]} == {("text length", "1 to 50")}


@pytest.mark.second_tier
def test_rows_that_raise_or_kill_have_no_answer_and_their_names_alone_are_told(mop: Installation):
    mop.start_worker(evaluation_start_seconds=1)
    words_task(mop)
    rows = worded_rows(300)
    rows[10][0], rows[20][0] = "RAISE now darn", "KILL now"
    approved_dataset(mop, "faults", text_file(rows))
    revision = submit_small(mop, write_model(mop.folders / "faulty", inference=FAULTY))
    mop.wait(revision, "verified")
    one = finished(mop, revision.model, datasets=("faults",))[0]
    assert json.loads(one["error_counts"]) == {
        "UserScriptException": 1,
        "DeploymentCrashedError": 1,
    }
    assert json.loads(one["failed_rows"])["UserScriptException"] == [12]  # the first row is row 2
    assert one["no_answer"] == 2
    told = json.dumps(mop.rows("SELECT * FROM evaluation_evaluation"), default=str)
    assert "I saw" not in told + mop.story(revision)


@pytest.mark.second_tier
def test_a_dataset_approved_later_is_measured_and_a_cancelled_run_stays_cancelled(mop: Installation):
    mop.start_worker(evaluation_start_seconds=1)
    words_task(mop)
    revision = submit_small(mop, write_model(mop.folders / "slow", inference="time.sleep(0.02)"))
    mop.wait(revision, "verified")
    approved_dataset(mop, "later", worded_file(5000))
    wait_for(
        lambda: [one for one in evaluations(mop, revision.model) if one["name"] == "later" and one["progress"] >= 5],
        seconds=120,
        what="the first part of the rows",
    )
    mop.call("DELETE", "/datasets/later")
    wait_for(lambda: not mop.leases(), seconds=30, what="the end of the service")
    assert not [one for one in evaluations(mop, revision.model) if one["name"] == "later"]
    assert mop.rows("SELECT count(*) FROM evaluation_evaluationchunk") == [(0,)]


@pytest.mark.second_tier
def test_a_worker_verifies_a_result_and_names_what_was_disturbed(mop: Installation):
    mop.start_worker(evaluation_start_seconds=1)
    words_task(mop)
    approved_dataset(mop, "verified", worded_file(400))
    revision = submit_small(mop, write_model(mop.folders / "verified-model"))
    mop.wait(revision, "verified")
    one = next(one for one in finished(mop, revision.model, datasets=("verified",)))
    where = f"/models/{revision.model}/revisions/{revision.version}/evaluations/{WORDS}/verified"
    again = "200 rows inferred again"
    undisturbed = verified_by_worker(mop, where)
    assert undisturbed["holds"]
    assert {"rows", "labels as in the dataset", "confusion matrix", "macro f1", again} <= set(checks(undisturbed))
    assert checks(undisturbed)[again]["computed"] == 200

    kept = document(mop, one)
    kept["slices"][0]["matrix"][0][0] += 1
    write_document(mop, one, kept)
    assert failing(verified_by_worker(mop, where)) == ["text length=1 to 50: confusion matrix"]
    kept["slices"][0]["matrix"][0][0] -= 1
    write_document(mop, one, kept)

    digest = asyncio.run(with_turned_predictions(mop, one["predictions_digest"]))
    mop.execute("UPDATE evaluation_evaluation SET predictions_digest = ? WHERE id = ?", digest, one["id"])
    found = verified_by_worker(mop, where)
    assert {"confusion matrix", "accuracy", again} <= set(failing(found))
    assert checks(found)[again]["computed"] == 0
    assert not {"rows", "labels as in the dataset", "slices as in the dataset"} & set(failing(found))
    assert not mop.leases()  # each service is gone


def verified_by_worker(mop: Installation, where: str) -> dict[str, Any]:
    """The report of a new verification."""
    with mop.as_administrator():
        asked = mop.call("POST", f"{where}/verify", {"rows": 200}, status=202)
        found: dict[str, Any] = wait_for(
            lambda: answer if (answer := mop.call("GET", f"{where}/verification"))["is_final"] else None,
            seconds=120,
            what="the verification",
        )
    assert (found["id"], found["status"], found["rows_again"]) == (asked["id"], "finished", 200), found
    return found


def checks(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By name."""
    return {one["name"]: one for one in report["checks"]}


def failing(report: dict[str, Any]) -> list[str]:
    """The names of what does not hold."""
    assert report["holds"] == all(one["holds"] for one in report["checks"])
    return [one["name"] for one in report["checks"] if not one["holds"]]


def write_document(mop: Installation, evaluation: dict[str, Any], document: dict[str, Any]) -> None:
    """Change the numbers that are kept."""
    statement = "UPDATE evaluation_evaluationresult SET document = ? WHERE evaluation_id = ?"
    mop.execute(statement, json.dumps(document), evaluation["id"])


async def with_turned_predictions(mop: Installation, digest: str) -> str:
    """An artifact of the same rows with every yes a no, and the other way round."""
    store = ArtifactStore.local(mop.root / "home" / "artifacts")
    files = []
    for file in (await store.get_manifest(digest)).files:
        table = pq.read_table(io.BytesIO(b"".join([chunk async for chunk in store.get(file.sha256)])))
        place = table.column_names.index("predicted")
        turned = 1 - table.column("predicted").to_numpy()
        out = io.BytesIO()
        pq.write_table(table.set_column(place, "predicted", pa.array(turned.astype(np.uint8))), out)

        async def whole(data: bytes = out.getvalue()) -> AsyncIterator[bytes]:
            yield data

        blob = await store.put_file(whole())
        files.append(ManifestFile(path=file.path, size=blob.size, sha256=blob.sha256))
    return await store.put_manifest(Manifest.of(files))


FAULTY = (
    "if 'RAISE' in item['text']: raise ValueError('I saw ' + item['text'])\n"
    "        if 'KILL' in item['text']: print('I saw', item['text'], flush=True); os._exit(3)"
)
