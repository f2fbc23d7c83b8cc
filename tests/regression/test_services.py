"""Which versions are tested on which cases, when again, and what changed; without any process."""

from __future__ import annotations

import pytest

from mop.accounts.services import actor_of
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.contract_runs.services import add_task, disconnect_task
from mop.dsat.deletion import delete_case
from mop.dsat.models import Case
from mop.dsat.services import CaseChange, change_case, reject
from mop.dsat.states import CaseState
from mop.errors import ConflictError, UserScriptException
from mop.evaluation.case_runs.keeping import Known, begin, conclude, finish, look_ahead, pending, read_job, wanted_of
from mop.evaluation.case_runs.kinds import cases_digest
from mop.evaluation.case_runs.states import CaseRunState
from mop.notifications.models import Notification
from mop.registry.models import Model, Revision
from mop.registry.statuses import RevisionStatus
from mop.regression.advance import REGRESSION
from mop.regression.comparison import Change, compared, comparison_of, counts_of, outcomes_of, previous_run, rates_of
from mop.regression.models import RegressionOutcome, RegressionRun
from mop.regression.selectors import find_run, outcomes_on
from mop.regression.services import (
    cancel,
    cases_to_settle,
    is_wanted,
    keep_up,
    renew_stale,
    run_again,
    settle,
    start,
)
from regression.made import SECRET, knows, made_case
from support.case_runs import answered, begun, finished
from support.evaluation_results import add_version, verified
from support.factories import ACTOR, make_model, make_task, make_user, put

pytestmark = pytest.mark.django_db
S = CaseRunState


@pytest.fixture
def task() -> Task:
    return make_task()


@pytest.fixture
def model(task: Task) -> Model:
    made = make_model(tasks=(task,))
    verified(made.revisions.get())
    return made


@pytest.fixture
def cases(task: Task) -> dict[str, Case]:
    """Texts that a model meets: those with `bad` or `ugly` are 1."""
    return {
        text: made_case(task, text, expected_label=label)
        for text, label in (("bad one", "1"), ("ugly one", "1"), ("nice one", "0"), ("good one", "0"))
    }


@pytest.fixture
def run(model: Model, cases: dict[str, Case]) -> RegressionRun:
    keep_up()
    return RegressionRun.objects.get()


def measured(revision: Revision, *words: str) -> RegressionRun:
    made = start(actor=ACTOR, revision=revision)
    assert made is not None
    finished(REGRESSION, made, knows(*words))
    return made


def test_verified_versions_with_regression_enabled_are_tested_once(model: Model, cases: dict[str, Case]):
    off = add_version(model, "v2")
    put(Revision.objects.filter(pk=off.pk), regression_enabled=False)
    waiting = make_model(tasks=(make_task(),)).revisions.get()
    revision = model.revisions.get(version="v1.0.0")
    assert [is_wanted(one) for one in (revision, off, waiting)] == [True, False, False]
    keep_up()
    keep_up()
    assert RegressionRun.objects.get().revision == revision
    assert not is_wanted(revision)


def test_a_version_without_a_case_is_finished_with_0_cases(model: Model):
    keep_up()
    run = RegressionRun.objects.get()
    assert finished(REGRESSION, run, knows()) == 0
    assert (run.state, run.cases, run.passed, run.pass_rate, run.interval) == (S.FINISHED, 0, 0, None, None)


def test_every_case_but_the_rejected_ones_has_an_outcome(run: RegressionRun, cases: dict[str, Case]):
    reject(actor=ACTOR, case=cases["good one"])
    assert finished(REGRESSION, run, knows("bad")) == 3
    assert (run.cases, run.passed) == (3, 2)
    assert run.interval.low < run.pass_rate < run.interval.high
    found = {one.case.pk: (one.expected, one.predicted, one.is_passed) for one in outcomes_of(run)}
    assert found == {
        cases["bad one"].pk: ("1", "1", True),
        cases["ugly one"].pk: ("1", "0", False),
        cases["nice one"].pk: ("0", "0", True),
    }
    (rate,) = rates_of(run)
    assert (rate.task, rate.cases, rate.passed) == (run.revision.model.connections.get().task.name, 3, 2)


@pytest.mark.parametrize("status", [RevisionStatus.VERIFIED, RevisionStatus.OUTDATED, RevisionStatus.VULNERABLE])
def test_outcomes_of_a_task_are_hidden_while_it_is_not_connected(status: RevisionStatus):
    kept, left = make_task(), make_task(taxonomy="Violence")
    model = make_model(tasks=(kept, left))
    made_case(kept, "bad one", expected_label="1")
    hidden = made_case(left, "bad two", expected_label="1")
    made_case(left, "raise", expected_label="1")
    run = measured(verified(model.revisions.get()), "bad")
    put(Revision.objects.filter(pk=run.revision_id), status=status)

    def shown() -> tuple[int, int, int, list[str], int, int]:
        run.refresh_from_db()
        on_case = outcomes_on(run.revision.created_by, hidden).count()
        return (
            run.cases,
            run.passed,
            run.no_answer,
            [one.task for one in rates_of(run)],
            outcomes_of(run).count(),
            on_case,
        )

    both = sorted([kept.name, left.name])
    assert shown() == (3, 2, 1, both, 3, 1)
    disconnect_task(actor=ACTOR, model=model, task=left)
    assert shown() == (1, 1, 0, [kept.name], 1, 0)
    add_task(actor=ACTOR, model=model, task=left)
    assert shown() == (3, 2, 1, both, 3, 1)


def test_a_kind_without_a_label_says_what_passes():
    task = make_task(label_type="Ordinal", labels=["0", "1", "2"])
    revision = verified(make_model(tasks=(task,)).revisions.get())
    cases = [
        made_case(task, text, kind=kind) for text in ("bad", "nice") for kind in ("falsePositive", "falseNegative")
    ]
    run = measured(revision, "bad")
    found = {one.case_id: (one.expected, one.predicted, one.is_passed) for one in outcomes_of(run)}
    assert [found[case.pk] for case in cases] == [
        ("0", "1", False),
        ("not 0", "1", True),
        ("0", "0", True),
        ("not 0", "0", False),
    ]


def test_a_case_without_an_answer_fails_with_the_errors_name(model: Model, task: Task):
    made_case(task, "raise please")
    run = measured(model.revisions.get())
    (one,) = outcomes_of(run)
    assert (one.predicted, one.error, one.is_passed, run.no_answer) == ("", "UserScriptException", False, 1)


def test_a_result_about_cases_that_changed_since_the_look_ahead_is_stale_at_once(
    run: RegressionRun, cases: dict[str, Case]
):
    job, known = begun(REGRESSION, run), Known()
    answered(REGRESSION, job, knows("bad"), known=known)
    known.ahead = look_ahead(REGRESSION, job)
    change_case(actor=ACTOR, case=cases["ugly one"], change=CaseChange(expected_label="0"))
    assert finish(REGRESSION, job, known)
    renew_stale()
    assert finished(REGRESSION, run, knows("bad")) == 1
    late = begun(REGRESSION, run_again(actor=ACTOR, revision=run.revision))
    answered(REGRESSION, late, knows("bad"), known=(known := Known()))
    known.ahead = look_ahead(REGRESSION, late)._replace(at=0.0)
    reject(actor=ACTOR, case=cases["ugly one"])
    assert finish(REGRESSION, late, known)
    run.refresh_from_db()
    assert (run.cases, run.cases_digest) == (3, cases_digest(wanted_of(REGRESSION, late)))


def test_an_outcome_that_is_not_in_the_database_is_asked_whatever_the_worker_knows(
    run: RegressionRun, cases: dict[str, Case]
):
    job, known = begun(REGRESSION, run), Known()
    answered(REGRESSION, job, knows("bad"), known=known)
    known.ahead = look_ahead(REGRESSION, job)
    RegressionOutcome.objects.filter(case=cases["ugly one"]).delete()
    assert not finish(REGRESSION, job, known)
    assert answered(REGRESSION, job, knows("bad"), known=known) == 1
    assert finish(REGRESSION, job, known)


def test_a_run_resumes_with_the_cases_that_have_no_outcome(run: RegressionRun):
    job = begun(REGRESSION, run)
    assert answered(REGRESSION, job, knows("bad"), most=3) == 3
    again = read_job(REGRESSION, str(run.pk), run.attempt, "worker-2")
    begin(REGRESSION, again)
    assert [len(keys) for keys in pending(REGRESSION, again).values()] == [1]
    assert answered(REGRESSION, again, knows("bad")) == 1
    assert finish(REGRESSION, again, Known())
    assert RegressionOutcome.objects.count() == 4


@pytest.mark.parametrize("goes_on", [True, False], ids=["the same worker", "another worker"])
def test_cases_that_come_change_or_go_while_it_runs_count_as_they_are_at_its_end(
    run: RegressionRun, task: Task, cases: dict[str, Case], *, goes_on: bool
):
    job, known = begun(REGRESSION, run), Known()
    answered(REGRESSION, job, knows("bad"), known=known)
    if not goes_on:
        known = Known()
    made_case(task, "a new bad one")
    change_case(actor=ACTOR, case=cases["ugly one"], change=CaseChange(expected_label="0"))
    delete_case(actor=ACTOR, case=cases["nice one"])
    reject(actor=ACTOR, case=cases["good one"])
    assert not finish(REGRESSION, job, known)
    assert answered(REGRESSION, job, knows("bad"), known=known) == 2
    assert finish(REGRESSION, job, known)
    run.refresh_from_db()
    assert (run.cases, run.passed) == (3, 3)
    assert run.cases_digest == cases_digest(wanted_of(REGRESSION, job))
    assert RegressionOutcome.objects.count() == 3


def test_new_and_changed_cases_make_a_result_stale_and_alone_are_asked(
    run: RegressionRun, task: Task, cases: dict[str, Case]
):
    finished(REGRESSION, run, knows("bad"))
    renew_stale()
    run.refresh_from_db()
    assert run.state == S.FINISHED
    made_case(task, "a new bad one")
    change_case(actor=ACTOR, case=cases["nice one"], change=CaseChange(expected_label="1"))
    change_case(actor=ACTOR, case=cases["bad one"], change=CaseChange(description="decides nothing"))
    renew_stale()
    renew_stale()
    run.refresh_from_db()
    assert (run.state, run.attempt, run.is_stale, run.cases, run.passed) == (S.QUEUED, 2, True, 4, 3)
    assert finished(REGRESSION, run, knows("bad")) == 2
    assert (run.is_stale, run.cases, run.passed) == (False, 5, 3)
    reject(actor=ACTOR, case=cases["ugly one"])
    renew_stale()
    assert finished(REGRESSION, run, knows("bad")) == 0
    assert (run.cases, run.passed) == (4, 3)
    assert set(RegressionOutcome.objects.values_list("attempt", flat=True)) == {3}


def test_one_verdict_stands_for_each_state_of_the_cases(run: RegressionRun, task: Task):
    finished(REGRESSION, run, knows("bad"))
    first = run.cases_digest
    made = made_case(task, "another")
    renew_stale()
    finished(REGRESSION, run, knows("bad"))
    assert run.cases_digest != first
    delete_case(actor=ACTOR, case=made)
    renew_stale()
    finished(REGRESSION, run, knows("bad"))
    assert run.cases_digest == first


def test_another_environment_asks_every_case_anew(run: RegressionRun):
    finished(REGRESSION, run, knows("bad"))
    Revision.objects.update(environment_key="ff" * 32)
    renew_stale()
    assert finished(REGRESSION, run, knows("bad", "ugly")) == 4
    assert run.passed == 4


def test_a_test_on_demand_asks_every_case_and_takes_versions_without_the_option(model: Model, run: RegressionRun):
    finished(REGRESSION, run, knows("bad"))
    assert run_again(actor=ACTOR, revision=run.revision).attempt == 2
    with pytest.raises(ConflictError):
        run_again(actor=ACTOR, revision=run.revision)
    assert finished(REGRESSION, run, knows("bad")) == 4
    off = add_version(model, "v2")
    put(Revision.objects.filter(pk=off.pk), regression_enabled=False)
    off.refresh_from_db()
    assert run_again(actor=ACTOR, revision=off).state == S.QUEUED
    put(Revision.objects.filter(pk=off.pk), status=RevisionStatus.OUTDATED)
    keep_up()
    assert find_run(off).state == S.CANCELLED
    off.refresh_from_db()
    with pytest.raises(ConflictError, match="only a verified version"):
        run_again(actor=ACTOR, revision=off)


def test_a_cancelled_test_keeps_the_result_that_stands(run: RegressionRun):
    finished(REGRESSION, run, knows("bad"))
    run_again(actor=ACTOR, revision=run.revision)
    answered(REGRESSION, begun(REGRESSION, run), knows(), most=2)
    cancel(actor=ACTOR, revision=run.revision)
    run.refresh_from_db()
    assert (run.state, run.passed, outcomes_of(run).count()) == (S.CANCELLED, 3, 4)
    assert RegressionOutcome.objects.count() == 4
    with pytest.raises(ConflictError):
        cancel(actor=ACTOR, revision=run.revision)


def test_what_a_version_fixes_and_breaks_against_the_one_before_and_any_other(
    model: Model, task: Task, cases: dict[str, Case]
):
    first = measured(model.revisions.get(), "bad", "nice")
    second = measured(add_version(model, "v2"), "ugly", "nice")
    made_case(task, "later and bad")
    third = measured(add_version(model, "v3"), "bad", "ugly")
    assert [previous_run(one) for one in (first, second, third)] == [None, first, second]
    found = comparison_of(second, first)
    assert (found.cases, found.fixed, found.broken, found.difference) == (4, 1, 1, 0.0)
    assert not found.is_significant
    counts = counts_of(third, first)
    assert counts == {Change.BROKEN: 0, Change.FIXED: 2, Change.FAILING: 0, Change.FAILS: 0, Change.PASSES: 3}
    assert comparison_of(third, first).cases == 4  # the later case has no outcome there
    changes = {row.case_id: (row.change, row.before) for row in compared(second, first)}
    assert changes == {
        cases["bad one"].pk: ("newly broken", "1"),
        cases["ugly one"].pk: ("newly fixed", "0"),
        cases["nice one"].pk: ("still failing", "1"),
        cases["good one"].pk: ("passes", "0"),
    }
    other = measured(verified(make_model(tasks=(task,)).revisions.get()), "bad")
    assert comparison_of(third, other).fixed == 1  # against another model's version, as against what is live
    assert counts_of(first, None)[Change.FAILS] == 2


def test_a_case_that_is_expected_otherwise_now_is_not_compared(model: Model, cases: dict[str, Case]):
    first = measured(model.revisions.get(), "bad")
    change_case(actor=ACTOR, case=cases["bad one"], change=CaseChange(expected_label="0"))
    second = measured(add_version(model, "v2"), "bad")
    assert comparison_of(second, first).cases == 3


def test_cases_that_a_version_passes_are_marked_as_fixed_by_those_who_work_on_them(
    model: Model, task: Task, cases: dict[str, Case]
):
    run = measured(model.revisions.get(), "bad")
    owner = task.owners.get()
    assert cases_to_settle(model.created_by, run, to=CaseState.FIXED) == []
    wanted = {cases[text].pk for text in ("bad one", "nice one", "good one")}
    assert {case.pk for case in cases_to_settle(owner, run, to=CaseState.FIXED)} == wanted
    by = {"actor": actor_of(owner), "user": owner, "run": run}
    with pytest.raises(ConflictError, match=f"DSAT-{cases['ugly one'].pk}"):
        settle(**by, to=CaseState.FIXED, chosen=[cases["bad one"].pk, cases["ugly one"].pk])
    assert Case.objects.filter(state=CaseState.OPEN).count() == 4
    settle(**by, to=CaseState.FIXED, chosen=[cases["bad one"].pk])
    cases["bad one"].refresh_from_db()
    assert (cases["bad one"].state, cases["bad one"].fixed_by) == (CaseState.FIXED, run.revision)
    assert len(settle(**by, to=CaseState.FIXED)) == 2
    assert len(settle(**by, to=CaseState.CLOSED)) == 3
    assert Case.objects.filter(state=CaseState.CLOSED).count() == 3
    renew_stale()
    run.refresh_from_db()
    assert run.state == S.FINISHED  # who closes a case changes nothing that is tested


def test_a_case_that_is_expected_otherwise_since_is_neither_marked_nor_closed(
    run: RegressionRun, cases: dict[str, Case], task: Task
):
    owner = task.owners.get()
    finished(REGRESSION, run, knows("bad"))
    bad, nice = cases["bad one"], cases["nice one"]
    settle(actor=ACTOR, user=owner, run=run, to=CaseState.FIXED, chosen=[bad.pk])
    for case, label in ((bad, "0"), (nice, "1")):
        change_case(actor=ACTOR, case=case, change=CaseChange(expected_label=label))
    assert nice not in cases_to_settle(owner, run, to=CaseState.FIXED)
    assert cases_to_settle(owner, run, to=CaseState.CLOSED) == []
    change_case(actor=ACTOR, case=bad, change=CaseChange(expected_label="1"))
    assert cases_to_settle(owner, run, to=CaseState.CLOSED) == [bad]


def test_owners_are_told_what_broke_and_nothing_of_a_case(model: Model, task: Task, cases: dict[str, Case]):
    made_case(task, f"bad {SECRET}", description=SECRET, trace_id=SECRET, tags=[SECRET])
    measured(model.revisions.get(), "bad")
    run = measured(add_version(model, "v2"))
    note = Notification.objects.get(kind="regressionBroken", recipient=model.created_by)
    assert "passed 2 of 5 DSAT cases" in note.title
    assert "2 newly broken and 0 newly fixed against v1.0.0." in note.reason
    assert Notification.objects.filter(kind="regressionFinished").count() == 1
    made_case(task, "a new one")
    renew_stale()
    finished(REGRESSION, run, knows("bad", "new"))
    assert Notification.objects.filter(kind__startswith="regression").count() == 2  # by itself, and nothing broke
    begun(REGRESSION, run_again(actor=ACTOR, revision=run.revision))
    conclude(REGRESSION, str(run.pk), 3, UserScriptException(f"I saw {SECRET}", place=f"{SECRET}.py:7"))
    assert Notification.objects.filter(kind="regressionFailed").exists()
    run.refresh_from_db()
    told = [run.error, *Notification.objects.values_list("title", "reason", "hint"), *AuditEvent.objects.values_list()]
    assert SECRET not in str(told)


def test_the_outcome_of_a_deleted_case_goes_with_it(run: RegressionRun, cases: dict[str, Case]):
    finished(REGRESSION, run, knows("bad"))
    delete_case(actor=ACTOR, case=cases["bad one"])
    assert RegressionOutcome.objects.count() == 3
    renew_stale()
    finished(REGRESSION, run, knows("bad"))
    assert (run.cases, run.passed) == (3, 2)


def test_a_task_that_is_not_proved_or_connected_any_more_has_no_cases_in_a_test(task: Task, cases: dict[str, Case]):
    made = make_model(tasks=(task,))
    put(Revision.objects.filter(model=made), status=RevisionStatus.VERIFIED, artifact_digest="ab" * 32)
    run = measured(made.revisions.get(), "bad")
    assert run.cases == 0
    revision = verified(made.revisions.get())
    renew_stale()
    finished(REGRESSION, run, knows("bad"))
    assert run.cases == 4
    make_user()
    revision.model.connections.all().delete()
    renew_stale()
    finished(REGRESSION, run, knows("bad"))
    assert run.cases == 0


def test_a_test_that_ended_because_its_version_was_vulnerable_begins_again_with_the_version(run: RegressionRun):
    revisions = Revision.objects.filter(pk=run.revision_id)
    put(revisions, status=RevisionStatus.VULNERABLE)
    keep_up()
    run.refresh_from_db()
    assert (run.state, run.error["name"]) == (S.CANCELLED, "RunNotPossibleError")
    put(revisions, status=RevisionStatus.VERIFIED)
    keep_up()
    run.refresh_from_db()
    assert (run.state, run.attempt) == (S.QUEUED, 2)


def test_nobody_is_told_of_a_test_that_came_too_late(run: RegressionRun):
    conclude(REGRESSION, str(run.pk), 1, ConflictError("The version is vulnerable by now."))
    run.refresh_from_db()
    assert run.state == S.FAILED
    assert not Notification.objects.filter(kind="regressionFailed").exists()
