"""Evaluations of small real models in real services: started by themselves, counted, run again, cancelled."""

from __future__ import annotations

import numpy as np
import pytest

from support.evaluations import (
    approved_dataset,
    document,
    finished,
    matrix,
    submit_small,
    worded_file,
    worded_matrix,
    words_task,
)
from support.installation import Installation
from support.model_folders import write_model

pytestmark = pytest.mark.sandbox


def test_a_verified_version_is_evaluated_on_an_approved_dataset(mop: Installation):
    mop.start_worker(evaluation_start_seconds=1)
    words_task(mop)
    approved_dataset(mop, "before", worded_file(400))
    revision = submit_small(mop, write_model(mop.folders / "evaluated"))
    mop.wait(revision, "verified")
    (one,) = finished(mop, revision.model)
    assert np.array_equal(matrix(mop, one), worded_matrix(400))
    assert (one["rows"], one["no_answer"], one["progress"]) == (400, 0, 100)
    assert one["accuracy"] == 0.9
    shown = document(mop, one)
    assert {(found["column"], found["value"]) for found in shown["slices"]} == {("text length", "1 to 50")}
