"""Evaluations of small real models in real services: started by themselves, counted, run again, cancelled."""

from __future__ import annotations

import json

import numpy as np
import pytest

from support.datasets import text_file
from support.evaluations import (
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


FAULTY = (
    "if 'RAISE' in item['text']: raise ValueError('I saw ' + item['text'])\n"
    "        if 'KILL' in item['text']: print('I saw', item['text'], flush=True); os._exit(3)"
)
