"""Whole runs: a real service in the cage, every row asked, nothing of it left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from golden_sets.made import supplied
from mop.golden_sets.advance import GOLDEN
from mop.golden_sets.models import GoldenRun
from mop.golden_sets.selectors import failures_of
from mop.golden_sets.services import start_missing
from support.case_run_services import CaseHost, case_host, evaluation_host  # noqa: F401 - fixtures
from support.factories import ACTOR
from support.model_folders import write_model

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sandbox,
    pytest.mark.second_tier,
    pytest.mark.xdist_group("evaluation runs"),
]

FAULTY = (
    "if 'RAISE' in item['text']: raise ValueError('I saw ' + item['text'])\n"
    "        if 'KILL' in item['text']: os._exit(3)"
)
ROWS = ("label,text", "yes,darn you", "no,hello", "yes,RAISE darn", "no,KILL", "no,darn but fine", "yes,darn")


def test_rows_that_raise_or_kill_fail_and_the_others_have_their_outcomes(case_host: CaseHost, tmp_path: Path):  # noqa: F811
    revision = case_host.revision(write_model(tmp_path / "faulty", inference=FAULTY), labels=["no", "yes"])
    supplied(revision.model.connections.get().task, *ROWS)
    start_missing(actor=ACTOR)
    run: Any = GoldenRun.objects.get()
    assert case_host.run("mop.golden_sets.workflows", run) == "finished"
    assert (run.cases, run.passed, run.no_answer) == (6, 3, 2)
    found = {one.number: (one.predicted, one.error) for one in failures_of(run)}
    assert found == {3: ("", "UserScriptException"), 4: ("", "DeploymentCrashedError"), 5: ("yes", "")}
    assert GOLDEN.outcomes.objects.count() == 6


def test_a_model_with_other_labels_is_a_mapping_error_before_any_row(case_host: CaseHost, tmp_path: Path):  # noqa: F811
    revision = case_host.revision(write_model(tmp_path / "renamed"), labels=["no", "maybe"])
    supplied(revision.model.connections.get().task, "label,text", "no,hello")
    start_missing(actor=ACTOR)
    run: Any = GoldenRun.objects.get()
    assert case_host.run("mop.golden_sets.workflows", run) == "mappingError"
    assert run.error["name"] == "EvaluationMappingError"
    assert not run.is_measured
