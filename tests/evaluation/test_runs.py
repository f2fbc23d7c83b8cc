"""Whole runs: a real reader and a real service in the cage, every row counted once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from asgiref.sync import async_to_sync

from mop.evaluation.results import document_of
from mop.evaluation.services import rerun
from mop.evaluation.verification import verify_evaluation
from mop.evaluation.wanted import metric_version
from support.datasets import text_file
from support.evaluation_runs import Evaluate, evaluate, evaluation_host, run_again  # noqa: F401 - fixtures
from support.evaluations import worded_file, worded_matrix, worded_rows
from support.factories import ACTOR
from support.model_folders import write_model

pytestmark = [pytest.mark.django_db, pytest.mark.sandbox, pytest.mark.xdist_group("evaluation runs")]

FAULTY = (
    "if 'RAISE' in item['text']: raise ValueError('I saw ' + item['text'])\n"
    "        if 'KILL' in item['text']: os._exit(3)\n"
    "        if 'BREAK' in item['text']: return {'bad': 0, 'too_sure': 0.5}"
)
SCORES, TOO_SURE = "float(bad)}", "float(bad) + output.get('too_sure', 0)}"


def test_every_row_is_counted_once_and_verification_finds_every_number(evaluate: Evaluate, tmp_path: Path):  # noqa: F811
    evaluation = evaluate(write_model(tmp_path / "small"), worded_file(400))
    assert evaluation.error is None
    document = document_of(evaluation)
    assert np.array_equal(document.matrix.counts, worded_matrix(400))
    assert (evaluation.state, evaluation.rows, evaluation.no_answer) == ("finished", 400, 0)
    assert evaluation.metric_version == metric_version()
    checks = async_to_sync(verify_evaluation)(evaluation, again=20)
    assert [check for check in checks if not check.holds] == []
    assert {"rows", "labels as in the dataset", "confusion matrix", "macro f1", "20 rows inferred again"} <= {
        check.name for check in checks
    }


def test_rows_that_raise_kill_or_break_the_contract_have_no_answer(evaluate: Evaluate, tmp_path: Path):  # noqa: F811
    rows = worded_rows(200)
    rows[10][0], rows[20][0], rows[30][0] = "RAISE now darn", "KILL now", "BREAK now"
    folder = write_model(tmp_path / "faulty", inference=FAULTY)
    source = folder / "src" / "inference.py"
    source.write_text(source.read_text().replace(SCORES, TOO_SURE))
    evaluation = evaluate(folder, text_file(rows))
    assert evaluation.error_counts == {
        "UserScriptException": 1,
        "DeploymentCrashedError": 1,
        "CategoricalTaskLabelConfidenceScoreSumError": 1,
    }
    assert evaluation.failed_rows["UserScriptException"] == [12]  # the first row is row 2
    assert evaluation.no_answer == 3
    rerun(actor=ACTOR, evaluation=evaluation)
    evaluation.refresh_from_db()
    before = document_of(evaluation).to_dict()
    run_again(evaluation)
    assert (evaluation.attempt, document_of(evaluation).to_dict()) == (2, before)


def test_a_model_with_other_labels_is_a_mapping_error_before_any_row(evaluate: Evaluate, tmp_path: Path):  # noqa: F811
    folder = write_model(tmp_path / "renamed")
    source = folder / "src" / "inference.py"
    source.write_text(source.read_text().replace('"yes"', '"bad"'))
    evaluation = evaluate(folder, worded_file(200))
    assert (evaluation.state, evaluation.error["name"]) == ("mappingError", "EvaluationMappingError")
    assert "bad" in evaluation.error["message"]
    assert evaluation.rows is None
