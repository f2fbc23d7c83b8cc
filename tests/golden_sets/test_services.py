"""Golden sets, their versions, and the runs on them; without any process."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from golden_sets.made import ROWS, predicted, supplied, wrong_of_them
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.errors import ConflictError, EvaluationMappingError, HostLostError, UserScriptException, ValidationFailedError
from mop.evaluation.case_runs.keeping import Known, begin, conclude, finish, pending, read_job
from mop.evaluation.case_runs.services import cancel
from mop.evaluation.case_runs.states import CaseRunState
from mop.evaluation.models import Evaluation
from mop.evaluation.services import start_missing as start_evaluations
from mop.golden_sets.advance import GOLDEN
from mop.golden_sets.models import GoldenOutcome, GoldenRow, GoldenRun, GoldenSet, GoldenVersion
from mop.golden_sets.selectors import current_runs, failures_of, runs_of
from mop.golden_sets.services import (
    GOLDEN_JOB,
    delete_golden_set,
    is_wanted,
    keep_up,
    renew_stale,
    run_again,
    start_missing,
    try_again,
)
from mop.notifications.models import Notification
from mop.registry.models import Model, Revision, TaskConnection
from mop.registry.statuses import RevisionStatus
from support.case_runs import answered, begun, finished
from support.contract_runs import prove
from support.evaluation_results import add_version, approved_dataset, verified
from support.evaluation_results import finished as finished_evaluation
from support.factories import ACTOR, make_model, make_task

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
def version(task: Task) -> GoldenVersion:
    return supplied(task)


@pytest.fixture
def run(model: Model, version: GoldenVersion) -> GoldenRun:
    keep_up()
    return GoldenRun.objects.get()


def test_a_new_upload_is_the_next_version_and_the_newest_counts(task: Task, version: GoldenVersion):
    later = supplied(task, *ROWS[:3])
    assert (version.number, later.number, later.size) == (1, 2, 2)
    assert GoldenSet.objects.get().versions.get(is_newest=True) == later
    assert GoldenRow.objects.filter(version=version).count() == 4  # the older one stays
    with pytest.raises(ConflictError, match="has these rows already"):
        supplied(task, *ROWS[:3])


def test_names_are_those_that_fit_an_address(task: Task):
    for name in ("", "a/b", ".hidden", "x" * 101):
        with pytest.raises(ValidationFailedError):
            supplied(task, name=name)


def test_each_verified_version_is_run_on_each_newest_version_once(model: Model, task: Task, version: GoldenVersion):
    add_version(model, "v2")
    other = supplied(task, name="more")
    keep_up()
    keep_up()
    made = {(run.revision.version, run.version_id) for run in GoldenRun.objects.all()}
    assert made == {(name, one.pk) for name in ("v1.0.0", "v2") for one in (version, other)}
    assert not is_wanted(model.revisions.get(version="v2"))


def test_a_version_that_was_not_proved_with_a_task_is_not_run_for_it(task: Task, version: GoldenVersion):
    made = make_model(tasks=(task,))
    Revision.objects.filter(model=made).update(status=RevisionStatus.VERIFIED, artifact_digest="ab" * 32)
    assert start_missing(actor=ACTOR) == 0


def test_a_result_says_which_rows_failed_and_why(run: GoldenRun):
    assert finished(GOLDEN, run, wrong_of_them) == 4
    assert (run.state, run.cases, run.passed, run.no_answer) == (S.FINISHED, 4, 2, 1)
    assert run.pass_rate == 0.5
    assert run.interval.low < 0.5 < run.interval.high
    found = [(one.number, one.expected, one.predicted, one.error) for one in failures_of(run)]
    assert found == [(1, "0", "", "UserScriptException"), (3, "1", "0", "")]


def test_a_run_resumes_with_the_rows_that_have_no_outcome(run: GoldenRun):
    job = begun(GOLDEN, run)
    assert answered(GOLDEN, job, predicted, most=3) == 3
    again = read_job(GOLDEN, str(run.pk), run.attempt, "worker-2")
    begin(GOLDEN, again)
    assert [len(keys) for keys in pending(GOLDEN, again).values()] == [1]
    assert not finish(GOLDEN, again, Known())
    assert answered(GOLDEN, again, predicted) == 1
    assert finish(GOLDEN, again, Known())
    assert GoldenOutcome.objects.count() == 4


def test_outcomes_that_are_stored_twice_stand_once(run: GoldenRun):
    job = begun(GOLDEN, run)
    answered(GOLDEN, job, predicted)
    GoldenOutcome.objects.update(case_digest="")  # as if they were asked otherwise
    assert answered(GOLDEN, job, predicted) == 4
    assert finish(GOLDEN, job, Known())
    assert GoldenOutcome.objects.count() == 4


def test_a_newer_version_ends_a_run_that_goes_on_and_gets_its_own(run: GoldenRun, task: Task):
    begun(GOLDEN, run)
    later = supplied(task, *ROWS[:4])
    keep_up()
    run.refresh_from_db()
    assert run.state == S.CANCELLED
    new = GoldenRun.objects.exclude(pk=run.pk).get()
    assert (new.version, new.state) == (later, S.QUEUED)
    finished(GOLDEN, new, predicted)
    assert list(current_runs()) == [new]
    assert list(runs_of(run.revision)) == [new, run]  # older ones stay for the record


def test_a_changed_environment_or_name_makes_a_result_stale_and_every_row_is_asked_anew(run: GoldenRun, model: Model):
    finished(GOLDEN, run, predicted)
    renew_stale()
    run.refresh_from_db()
    assert run.state == S.FINISHED
    Revision.objects.update(environment_key="ff" * 32)
    renew_stale()
    run.refresh_from_db()
    assert (run.state, run.attempt, run.is_stale, run.passed) == (S.QUEUED, 2, True, 4)  # the old result stands
    assert finished(GOLDEN, run, wrong_of_them) == 4
    assert (run.is_stale, run.passed, GoldenOutcome.objects.count()) == (False, 2, 4)
    model.connections.update(customized_name="renamed")
    renew_stale()
    run.refresh_from_db()
    assert run.state == S.FINISHED, "the version is to be proved under the name first"
    prove(run.revision)
    renew_stale()
    assert finished(GOLDEN, run, predicted) == 4
    assert (run.attempt, run.passed) == (3, 4)


def test_a_run_that_ended_with_the_connection_of_its_task_begins_again_with_it(
    run: GoldenRun, model: Model, task: Task
):
    begun(GOLDEN, run)
    model.connections.all().delete()
    keep_up()
    run.refresh_from_db()
    assert (run.state, run.error["name"]) == (S.CANCELLED, "RunNotPossibleError")
    TaskConnection.objects.create(model=model, taxonomy=task.taxonomy, task=task, customized_name=task.taxonomy.name)
    keep_up()
    finished(GOLDEN, run, predicted)
    assert (run.attempt, run.passed) == (2, 4)


def test_a_run_again_asks_every_row_and_keeps_the_result_until_it_ends_well(run: GoldenRun):
    finished(GOLDEN, run, wrong_of_them)
    with pytest.raises(ConflictError):
        cancel(GOLDEN, GOLDEN_JOB, run, actor=ACTOR)
    assert run_again(actor=ACTOR, revision=run.revision) == 1
    with pytest.raises(ConflictError):
        run_again(actor=ACTOR, revision=run.revision)
    run.refresh_from_db()
    answered(GOLDEN, begun(GOLDEN, run), predicted, most=2)
    cancel(GOLDEN, GOLDEN_JOB, run, actor=ACTOR)
    run.refresh_from_db()
    assert (run.state, run.measured_attempt, run.failed) == (S.CANCELLED, 1, 2)
    assert [one.number for one in failures_of(run)] == [1, 3]
    assert GoldenOutcome.objects.count() == 4


def test_an_error_of_the_model_is_told_by_its_name_alone(run: GoldenRun):
    begun(GOLDEN, run)
    conclude(GOLDEN, str(run.pk), 1, UserScriptException("I saw a secret", place="src/inference.py:7"))
    run.refresh_from_db()
    assert (run.state, run.error["name"]) == (S.FAILED, "UserScriptException")
    assert "secret" not in str(run.error) + " ".join(Notification.objects.values_list("reason", flat=True))
    run_again(actor=ACTOR, revision=run.revision)
    begun(GOLDEN, run)
    conclude(GOLDEN, str(run.pk), 2, EvaluationMappingError("Another label."))
    run.refresh_from_db()
    assert run.state == S.MAPPING_ERROR


def test_owners_are_told_numbers_and_nothing_of_a_row(run: GoldenRun, model: Model):
    finished(GOLDEN, run, wrong_of_them)
    note = Notification.objects.get(kind="goldenSetFailed", recipient=model.created_by)
    assert "failed 2 of 4 rows of the golden set core" in note.title
    run_again(actor=ACTOR, revision=run.revision)
    finished(GOLDEN, run, predicted)
    assert Notification.objects.filter(kind="goldenSetPassed").exists()
    told = str(list(Notification.objects.values())) + str(list(AuditEvent.objects.values()))
    assert "darn" not in told
    assert "nice" not in told


def test_deletion_takes_rows_runs_and_outcomes_with_it(run: GoldenRun, version: GoldenVersion):
    answered(GOLDEN, begun(GOLDEN, run), predicted, most=2)
    delete_golden_set(actor=ACTOR, golden_set=version.golden_set)
    for table in (GoldenSet, GoldenVersion, GoldenRow, GoldenRun, GoldenOutcome):
        assert not table.objects.exists()
    assert AuditEvent.objects.filter(action="golden_set.deleted").exists()


def test_a_cause_outside_the_model_is_waited_out_and_the_run_tried_again_so_often(run: GoldenRun, settings: Any):
    settings.MOP_RETRY_BASE, settings.MOP_RETRY_MAX = 60.0, 2
    for tries in (1, 2):
        begun(GOLDEN, run)
        conclude(GOLDEN, str(run.pk), tries, HostLostError("The host went away."))
        try_again()
        run.refresh_from_db()
        assert run.state == S.FAILED  # not yet
        GoldenRun.objects.update(ended_at=run.ended_at - dt.timedelta(hours=1))
        try_again()
        run.refresh_from_db()
        assert (run.state, run.attempt) == (S.QUEUED, tries + 1)
    begun(GOLDEN, run)
    conclude(GOLDEN, str(run.pk), 3, HostLostError("The host went away."))
    GoldenRun.objects.update(ended_at=run.queued_at - dt.timedelta(days=1))
    try_again()
    run.refresh_from_db()
    assert run.state == S.FAILED
    run_again(actor=ACTOR, revision=run.revision)
    finished(GOLDEN, run, predicted)
    assert run.passed == 4


def test_runs_wait_for_the_evaluations_of_their_version(model: Model, task: Task, version: GoldenVersion):
    dataset = approved_dataset(task)
    start_evaluations(actor=ACTOR)
    keep_up()
    assert not GoldenRun.objects.exists()
    finished_evaluation(Evaluation.objects.get(dataset=dataset), keeps=False)
    keep_up()
    assert GoldenRun.objects.count() == 1
