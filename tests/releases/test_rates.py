"""Conditions on pass rates of DSAT cases and golden sets, on real rows."""

from __future__ import annotations

import pytest
from django.utils import timezone

from golden_sets.made import predicted, supplied, wrong_of_them
from mop.catalog.models import Task
from mop.dsat.deletion import delete_case
from mop.dsat.services import CaseChange, change_case, reject
from mop.findings.waivers import end_waiver
from mop.golden_sets.advance import GOLDEN
from mop.golden_sets.models import GoldenRun
from mop.golden_sets.services import start_missing
from mop.registry.models import Revision
from mop.regression.advance import REGRESSION
from mop.regression.models import RegressionRun
from mop.regression.services import renew_stale, start
from mop.releases.evidence import NO_PREVIOUS, RevisionEvidence
from mop.releases.gates.parser import parse
from mop.releases.gates.verdicts import Missing, judge
from mop.releases.judging import COMMIT_TAKES, gate_document, judge_changed, revisions_to_judge
from mop.releases.models import GateReport
from mop.releases.requests.difference import difference_to
from mop.releases.requests.preconditions import standing
from mop.releases.services import change_gate
from regression.made import knows, made_case
from support.case_runs import finished
from support.evaluation_results import add_version, approved_dataset, evaluate, verified
from support.factories import ACTOR, make_model, make_task, make_user, put
from support.releases import make_releasable
from support.scans import BLOCKS, scan_later, waive

pytestmark = pytest.mark.django_db
DSAT, GOLDEN_SET = "DSAT pass rate", "golden set pass rate"


@pytest.fixture
def task() -> Task:
    return make_task()


@pytest.fixture
def revision(task: Task) -> Revision:
    return verified(make_model(tasks=(task,)).revisions.get())


def results(revision: Revision, task: Task, *conditions: str) -> list[str]:
    change_gate(actor=ACTOR, owner=task, conditions="\n".join(conditions))
    return [row.result for row in gate_document(revision).rows]


def part(revision: Revision, task: Task, condition: str) -> tuple[float | None, str, str, str]:
    change_gate(actor=ACTOR, owner=task, conditions=condition)
    (row,) = gate_document(revision).rows
    (found,) = row.parts
    return found.value, found.of, found.reason, found.step


def measured(revision: Revision, *words: str) -> RegressionRun:
    run = start(actor=ACTOR, revision=revision)
    assert run is not None
    finished(REGRESSION, run, knows(*words))
    return run


def test_without_a_case_or_a_golden_set_conditions_hold_with_or_none_alone(revision: Revision, task: Task):
    lines = (f"{DSAT} >= 95 %", f"{DSAT} >= 95 % or none", f"{GOLDEN_SET} >= 95 %", f"{GOLDEN_SET} >= 95 % or none")
    wanted = ["not measured", "pass", "not measured", "pass"]
    assert results(revision, task, *lines) == wanted
    measured(revision)  # finished, 0 cases
    assert results(revision, task, *lines) == wanted


def test_a_case_that_was_not_run_is_no_pass_whatever_the_condition_says(revision: Revision, task: Task):
    made_case(task, "bad")
    lines = (f"{DSAT} >= 1 %", f"{DSAT} >= 1 % or none")
    assert results(revision, task, *lines) == ["not measured", "not measured"]
    value, _, reason, step = part(revision, task, lines[0])
    assert (value, reason, step) == (None, "The version has no regression test.", "regression test")
    start(actor=ACTOR, revision=revision)
    assert part(revision, task, lines[0])[2] == "The regression test is queued."


def test_the_pass_rate_of_cases_has_its_interval_and_number(revision: Revision, task: Task):
    for number in range(20):
        made_case(task, f"bad {number}")
    made_case(task, "ugly")
    measured(revision, "bad")
    value, of, _, _ = part(revision, task, f"{DSAT} >= 90 %")
    assert (value, of) == (pytest.approx(20 / 21), "21 cases")
    lines = (f"{DSAT} >= 60 %", f"{DSAT} >= 90 %", f"{DSAT} >= 96 %", f"{DSAT} in [70 %, 99 %]")
    assert results(revision, task, *lines)[:3] == ["pass", "pass, close", "fail"]


def test_new_rejected_and_deleted_cases_change_what_is_measured(revision: Revision, task: Task):
    first, second = made_case(task, "bad"), made_case(task, "ugly")
    run = measured(revision, "bad")
    condition = f"{DSAT} >= 100 %"
    assert part(revision, task, condition)[:2] == (0.5, "2 cases")
    made_case(task, "bad too")
    assert part(revision, task, condition)[2] == "The version was tested on 2 of 3 cases."
    renew_stale()
    assert "stale" in part(revision, task, condition)[2]
    finished(REGRESSION, run, knows("bad"))
    reject(actor=ACTOR, case=second)
    renew_stale()
    finished(REGRESSION, run, knows("bad"))
    assert part(revision, task, condition)[:2] == (1.0, "2 cases")
    delete_case(actor=ACTOR, case=first)
    renew_stale()
    finished(REGRESSION, run, knows("bad"))
    assert part(revision, task, condition)[:2] == (1.0, "1 cases")


def test_each_task_has_the_rate_of_its_own_cases(task: Task):
    other = make_task(taxonomy="Violence")
    revision = verified(make_model(tasks=(task, other)).revisions.get())
    made_case(task, "bad")
    made_case(other, "ugly")
    measured(revision, "bad")
    assert results(revision, task, f"{DSAT} >= 100 %") == ["pass, close"]
    assert part(revision, task, f"{DSAT} >= 100 %")[1] == "1 cases"
    change_gate(actor=ACTOR, owner=task, conditions="")
    assert results(revision, other, f"{DSAT} >= 100 %") == ["fail"]


def test_the_golden_rate_is_over_all_golden_sets_of_the_task(revision: Revision, task: Task):
    supplied(task)
    condition = f"{GOLDEN_SET} >= 100 %"
    assert part(revision, task, condition)[2:] == (
        "The version was not run on the golden set core.",
        "golden set",
    )
    start_missing(actor=ACTOR)
    assert part(revision, task, condition)[2] == "The run on the golden set core is queued."
    finished(GOLDEN, GoldenRun.objects.get(), predicted)
    assert part(revision, task, condition)[:2] == (1.0, "4 rows")
    supplied(task, name="more")
    assert part(revision, task, condition)[0] is None
    start_missing(actor=ACTOR)
    finished(GOLDEN, GoldenRun.objects.get(state="queued"), wrong_of_them)
    assert part(revision, task, condition)[:2] == (0.75, "8 rows")
    assert results(revision, task, condition, f"{GOLDEN_SET} >= 40 %") == ["fail", "pass"]


def test_versions_are_judged_again_when_cases_or_golden_sets_change(revision: Revision, task: Task):
    change_gate(actor=ACTOR, owner=task, conditions=f"{DSAT} >= 95 % or none\n{GOLDEN_SET} >= 95 % or none")

    def settled() -> None:
        judge_changed()
        GateReport.objects.update(covers_until=timezone.now() + COMMIT_TAKES / 1e6)
        assert not revisions_to_judge().exists()

    for change in (
        lambda: made_case(task, "bad"),
        lambda: measured(revision, "bad"),
        lambda: supplied(task),
        lambda: start_missing(actor=ACTOR) and finished(GOLDEN, GoldenRun.objects.get(), predicted),
    ):
        put(Revision.objects.filter(pk=revision.pk), note="")
        settled()
        change()
        assert list(revisions_to_judge()) == [revision]


def test_a_rate_is_compared_with_that_of_the_release_before(revision: Revision, task: Task):
    made_case(task, "bad")
    made_case(task, "ugly")
    rate, _ = parse(f"{DSAT} >= 1 times the previous release\n{DSAT} >= 50 %")
    newer = add_version(revision.model, "v2")
    evidence = RevisionEvidence(newer, task, lambda: revision)
    measured(newer, "bad", "ugly")
    assert evidence.rate(rate.measure, to_previous=True).reason.startswith("Of the previous release: ")
    measured(revision, "bad")
    assert RevisionEvidence(newer, task, lambda: revision).rate(rate.measure, to_previous=True).value == 2.0
    assert RevisionEvidence(newer, task).rate(rate.measure, to_previous=True) == NO_PREVIOUS
    [row] = difference_to(revision, newer, task)
    assert (row["measure"], row["before"], row["now"], row["is_better"]) == (DSAT, 0.5, 1.0, True)


def test_a_case_whose_expected_label_changed_counts_no_more_until_it_is_asked_again(revision: Revision, task: Task):
    first, second = made_case(task, "bad"), made_case(task, "bad too")
    run = measured(revision, "bad")
    condition = f"{DSAT} >= 100 %"
    assert part(revision, task, condition)[:2] == (1.0, "2 cases")
    change_case(actor=ACTOR, case=first, change=CaseChange(expected_label="0"))
    assert part(revision, task, condition)[2] == "The version was tested on 1 of 2 cases."
    reject(actor=ACTOR, case=second)
    made_case(task, "ugly")  # as many cases as outcomes, and not the same
    assert part(revision, task, condition)[2] == "The version was tested on 0 of 2 cases."
    renew_stale()
    finished(REGRESSION, run, knows("bad"))
    assert part(revision, task, condition)[:2] == (0.0, "2 cases")


@pytest.mark.parametrize("change", ["name", "environment", "disconnected"])
def test_results_of_another_name_or_environment_count_no_more_before_they_are_marked(
    revision: Revision, task: Task, change: str
):
    made_case(task, "bad")
    measured(revision, "bad")
    supplied(task)
    start_missing(actor=ACTOR)
    finished(GOLDEN, GoldenRun.objects.get(), predicted)
    approved_dataset(task)
    evaluate(revision)
    evidence = RevisionEvidence(revision, task)
    conditions = parse(f"{DSAT} >= 1 %\n{GOLDEN_SET} >= 1 %\nall datasets: macro F1 >= 0.01")
    assert [judge(one, evidence).result for one in conditions] == ["pass", "pass", "pass"]
    if change == "environment":
        put(Revision.objects.filter(pk=revision.pk), environment_key="ef" * 32)
        revision.refresh_from_db()
    elif change == "name":
        revision.model.connections.update(customized_name="other")
    else:
        revision.model.connections.all().delete()
    found = [judge(one, RevisionEvidence(revision, task)).parts[0].reading for one in conditions]
    assert all(isinstance(one, Missing) for one in found), found


def test_a_waiver_that_ended_lets_its_finding_block_before_the_scan_is_decided_about_again(task: Task):
    revision = make_releasable(task)
    waiver = waive(revision.model, make_user(is_administrator=True))
    scan_later(revision, BLOCKS)
    (condition,) = parse("open findings <= 0")

    def stands() -> tuple[str, bool]:
        (found,) = [one for one in standing(revision) if one.name == "findings"]
        return judge(condition, RevisionEvidence(revision, task)).result, found.holds

    assert stands() == ("pass", True)
    end_waiver(actor=ACTOR, waiver=waiver)
    assert stands() == ("fail", False)
