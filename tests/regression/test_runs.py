"""Whole regression tests: real services in the cage, and real data."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from mop.accounts.services import actor_of
from mop.catalog.models import Task
from mop.dsat.models import Case
from mop.dsat.services import add_case
from mop.registry.models import Revision
from mop.regression.comparison import Change, compared, comparison_of, counts_of, outcomes_of
from mop.regression.models import RegressionOutcome, RegressionRun
from mop.regression.services import renew_stale, start
from mop.releases.judging import gate_document
from mop.releases.services import change_gate
from regression.made import made_case
from support.case_run_services import CaseHost, case_host, evaluation_host  # noqa: F401 - fixtures
from support.factories import ACTOR, make_user
from support.model_folders import write_model
from support.real_data import real_data

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sandbox,
    pytest.mark.second_tier,
    pytest.mark.xdist_group("evaluation runs"),
]
WORKFLOWS = "mop.regression.workflows"
LABELS = ["no", "yes"]
FAULTY = (
    "if 'RAISE' in item['text']: raise ValueError('I saw ' + item['text'])\n"
    "        if 'KILL' in item['text']: os._exit(3)"
)
# two small classifiers of hateful text: the second knows more words, and takes a counter-speech word for hateful
FIRST = "hate disgusting scum vermin"
SECOND = "hate disgusting scum vermin kill worthless burden animals"
FUNCTIONALITIES = ("derog_neg_emote_h", "derog_dehum_h", "threat_dir_h", "profanity_nh", "ident_pos_nh")


def words_model(folder: Path, words: str) -> Path:
    write_model(folder)
    (folder / "model" / "words.txt").write_text(words, encoding="utf-8")
    return folder


def hatecheck() -> Iterator[tuple[str, str]]:
    with (real_data() / "hatecheck" / "test_suite_cases.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["functionality"] in FUNCTIONALITIES:
                yield row["test_case"], "yes" if row["label_gold"] == "hateful" else "no"


def measured(host: CaseHost, revision: Revision) -> RegressionRun:
    run = start(actor=ACTOR, revision=revision)
    assert run is not None
    assert host.run(WORKFLOWS, run) == "finished", run.error
    return run


def test_each_case_has_one_outcome_whatever_the_model_does(case_host: CaseHost, tmp_path: Path):  # noqa: F811
    revision = case_host.revision(write_model(tmp_path / "faulty", inference=FAULTY), labels=LABELS)
    task = revision.model.connections.get().task
    for text, label in (("darn", "yes"), ("fine", "no"), ("RAISE darn", "yes"), ("KILL", "no"), ("darn good", "no")):
        made_case(task, text, expected_label=label)
    run = measured(case_host, revision)
    found = [(one.expected, one.predicted, one.error) for one in outcomes_of(run).order_by("case_id")]
    assert found == [
        ("yes", "yes", ""),
        ("no", "no", ""),
        ("yes", "", "UserScriptException"),
        ("no", "", "DeploymentCrashedError"),
        ("no", "yes", ""),
    ]
    made_case(task, "darn new", expected_label="yes")
    renew_stale()
    run.refresh_from_db()
    assert case_host.run(WORKFLOWS, run) == "finished"
    assert (run.cases, run.passed, RegressionOutcome.objects.count()) == (6, 3, 6)


def test_on_hatecheck_the_second_version_fixes_some_and_breaks_one_and_a_gate_says_so(
    case_host: CaseHost,  # noqa: F811
    tmp_path: Path,
):
    first = case_host.revision(words_model(tmp_path / "first", FIRST), labels=LABELS)
    task: Task = first.model.connections.get().task
    reporter = make_user()
    for text, label in list(hatecheck())[::2]:
        add_case(task=task, content={"text": text}, actor=actor_of(reporter), submitter=reporter, expected_label=label)
    # a complaint about the first version that it answers rightly, and the second will not
    made_case(task, "I love animals and people", submitter=reporter, expected_label="no")
    before = measured(case_host, first)
    after = measured(
        case_host, case_host.next_revision(first.model, words_model(tmp_path / "second", SECOND), "v2.0.0")
    )
    assert before.cases == after.cases == len(list(hatecheck())[::2]) + 1
    said = {one.case_id: (one.predicted, one.is_passed) for one in outcomes_of(after)}
    for case in Case.objects.select_related("content"):  # against a plain reading of what the model does
        text = bytes(case.content.body).decode()
        words = set(text[len('{"text":"') : -len('"}')].split())
        expected = "yes" if words & set(SECOND.split()) else "no"
        assert said[case.pk] == (expected, expected == case.expected_label)
    found = comparison_of(after, before)
    counts = counts_of(after, before)
    assert found.fixed == counts[Change.FIXED] > 1
    assert found.broken == counts[Change.BROKEN] >= 1
    broken = compared(after, before).filter(change=Change.BROKEN.value)
    assert all(row.expected == "no" and row.predicted == "yes" for row in broken)
    rate = after.pass_rate
    assert rate is not None
    strict, relaxed = f"DSAT pass rate >= {rate + 0.02:.3f}", f"DSAT pass rate >= {rate / 2:.3f}"
    change_gate(actor=ACTOR, owner=task, conditions=strict)
    (row,) = gate_document(after.revision).rows
    assert (row.result, row.parts[0].value) == ("fail", pytest.approx(rate))
    change_gate(actor=ACTOR, owner=task, conditions=relaxed)
    assert [row.result for row in gate_document(after.revision).rows] == ["pass"]
