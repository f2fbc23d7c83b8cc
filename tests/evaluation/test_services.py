"""What is evaluated, when again, by whom it may be asked for and how often; without any process."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from evaluation.made import approved_dataset, finished, running, verified
from mop.accounts.services import actor_of
from mop.accounts.teams import change_team
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.datasets.bindings import approve, reject
from mop.datasets.models import Dataset
from mop.datasets.services import delete_dataset
from mop.errors import (
    ArtifactDamagedError,
    ConflictError,
    EvaluationBudgetError,
    EvaluationMappingError,
    HostLostError,
    OutsideFault,
    RunNotPossibleError,
    StaleAttemptError,
    UserScriptException,
)
from mop.evaluation import wanted
from mop.evaluation.headline import choose_headline, headline_dataset, headline_datasets
from mop.evaluation.jobs import begin, conclude, read_done, read_job, store_chunk
from mop.evaluation.label_map import label_map
from mop.evaluation.models import Evaluation, EvaluationChunk, Measurement
from mop.evaluation.results import document_of
from mop.evaluation.services import (
    EVALUATION_JOB,
    cancel,
    is_wanted,
    keep_up,
    publish,
    renew_stale,
    rerun,
    start_missing,
    withdraw,
)
from mop.evaluation.states import EvaluationState
from mop.notifications.models import Alert, Notification
from mop.registry.models import Model, Revision, TaskConnection
from mop.registry.publishing import publish_revision, unpublish_revision
from mop.registry.services import create_revision
from mop.registry.statuses import PublishStatus, RevisionStatus
from support.contract_runs import prove
from support.factories import ACTOR, make_model, make_revision_input, make_task
from support.load_tests import enabled
from support.load_tests import finished as finished_load_test

pytestmark = pytest.mark.django_db
S = EvaluationState


@pytest.fixture
def task() -> Task:
    return make_task()


@pytest.fixture
def model(task: Task) -> Model:
    made = make_model(tasks=(task,))
    verified(made)
    return made


@pytest.fixture
def dataset(task: Task) -> Dataset:
    return approved_dataset(task)


@pytest.fixture
def evaluation(model: Model, dataset: Dataset) -> Evaluation:
    keep_up()
    return Evaluation.objects.get()


def test_each_verified_version_is_evaluated_on_each_approved_dataset_once(model: Model, task: Task, dataset: Dataset):
    create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2"))
    keep_up()
    assert [(row.revision.version, row.dataset) for row in Evaluation.objects.all()] == [("v1.0.0", dataset)]
    verified(model, "v2")
    another = approved_dataset(task)
    keep_up()
    keep_up()
    made = {(row.revision.version, row.dataset.name) for row in Evaluation.objects.all()}
    assert made == {(version, one.name) for version in ("v1.0.0", "v2") for one in (dataset, another)}


def test_a_version_that_was_not_proved_with_a_task_is_not_evaluated_for_it(task: Task, dataset: Dataset):
    made = make_model(tasks=(task,))
    Revision.objects.filter(model=made).update(status=RevisionStatus.VERIFIED, artifact_digest="ab" * 32)
    keep_up()
    assert not Evaluation.objects.exists()


def test_public_versions_go_first_then_the_newest(model: Model, task: Task, dataset: Dataset):
    public = verified(make_model(tasks=(task,)))
    Revision.objects.filter(pk=public.pk).update(
        publish_status=PublishStatus.PUBLIC, created_at=public.created_at.replace(year=2025)
    )
    create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2"))
    newer = verified(model, "v2")
    Revision.objects.filter(pk=newer.pk).update(created_at=newer.created_at.replace(year=newer.created_at.year + 1))
    keep_up()
    turns = [row.revision_id for row in Evaluation.objects.order_by("priority")]
    assert turns == [public.pk, newer.pk, model.revisions.get(version="v1.0.0").pk]


def test_an_evaluation_ends_when_the_dataset_is_refused(evaluation: Evaluation, task: Task):
    reject(actor=actor_of(task.owners.get()), binding=evaluation.dataset.bindings.get())
    keep_up()
    evaluation.refresh_from_db()
    assert evaluation.state == S.CANCELLED


def test_what_ended_because_it_could_not_be_run_begins_again_once_it_can(
    evaluation: Evaluation, task: Task, model: Model
):
    owner = actor_of(task.owners.get())
    binding = evaluation.dataset.bindings.get()
    reject(actor=owner, binding=binding)
    keep_up()
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.error["name"]) == (S.CANCELLED, "RunNotPossibleError")
    approve(actor=owner, binding=binding)
    keep_up()
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.attempt, evaluation.error) == (S.QUEUED, 2, None)
    # a worker that claims it before the schedule looks ends it as failed
    model.connections.all().delete()
    with pytest.raises(RunNotPossibleError) as caught:
        running(evaluation)
    conclude(str(evaluation.pk), 2, 1, caught.value)
    TaskConnection.objects.create(model=model, taxonomy=task.taxonomy, task=task, customized_name="another name")
    keep_up()
    evaluation.refresh_from_db()
    assert evaluation.state == S.FAILED, "the version was not proved under this name"
    model.connections.update(customized_name=task.taxonomy.name)
    keep_up()
    finished(evaluation)
    assert (evaluation.state, evaluation.attempt) == (S.FINISHED, 3)


def test_what_an_owner_cancelled_stays_cancelled(evaluation: Evaluation):
    cancel(actor=ACTOR, evaluation=evaluation)
    keep_up()
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.attempt) == (S.CANCELLED, 1)


def test_a_result_is_kept_with_its_digests_and_headline(evaluation: Evaluation):
    finished(evaluation)
    document = document_of(evaluation)
    assert (evaluation.state, evaluation.progress, evaluation.no_answer) == (S.FINISHED, 100, 1)
    assert evaluation.error_counts == {"UserScriptException": 1}
    assert evaluation.headline == evaluation.macro_f1 == document.report().metrics["macro_f1"]
    assert evaluation.headline_low < evaluation.headline < evaluation.headline_high
    assert evaluation.environment_digest == "ee" * 32
    assert len(evaluation.dataset_digest) == len(evaluation.mapping_digest) == 64
    assert evaluation.metric_version == wanted.metric_version()


def test_a_slice_of_few_rows_is_not_kept_nor_what_would_let_it_be_computed(evaluation: Evaluation):
    document = document_of(finished(evaluation))
    shown = {one.name.value for one in document.slices if one.name.column == "group"}
    hidden = {name.value for name in document.withheld if name.column == "group"}
    assert "few" in hidden
    assert hidden == {"few", "b"}
    assert shown == {"a"}


def test_a_changed_environment_makes_a_result_stale_and_it_is_run_again(evaluation: Evaluation):
    finished(evaluation)
    renew_stale()
    evaluation.refresh_from_db()
    assert evaluation.state == S.FINISHED
    Revision.objects.filter(pk=evaluation.revision_id).update(environment_key="ff" * 32)
    renew_stale()
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.attempt, evaluation.is_stale, evaluation.is_recount) == (
        S.QUEUED,
        2,
        True,
        False,
    )
    assert document_of(evaluation).matrix.total == 200  # the old result stands until the new one is there
    finished(evaluation)
    assert not evaluation.is_stale
    assert evaluation.environment_digest == "ff" * 32
    assert Measurement.objects.count() == 2


def test_another_name_in_the_models_output_makes_a_result_stale(evaluation: Evaluation, model: Model):
    finished(evaluation)
    model.connections.update(customized_name="renamed")
    assert list(wanted.changed()) == [], "the version is to be proved under it first"
    prove(evaluation.revision)
    assert [row.pk for row in wanted.changed()] == [evaluation.pk]


def test_changed_metric_code_counts_kept_predictions_anew_and_uses_no_budget(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
):
    finished(evaluation)
    monkeypatch.setattr(wanted, "METRIC_VERSION", "another")
    renew_stale()
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.is_recount, evaluation.is_stale) == (S.QUEUED, True, False)
    finished(evaluation)
    assert evaluation.metric_version.startswith("another")
    assert evaluation.error_counts == {"UserScriptException": 1}
    assert Measurement.objects.count() == 1


def test_a_budget_that_is_used_up_ends_a_run_before_its_first_row(evaluation: Evaluation, settings: Any):
    settings.MOP_EVALUATION_BUDGET_MODEL = 2
    finished(evaluation)
    finished(rerun(actor=ACTOR, evaluation=evaluation))
    with pytest.raises(EvaluationBudgetError, match=r"model .* was measured 2 times"):
        rerun(actor=ACTOR, evaluation=evaluation)


@pytest.mark.parametrize("whose", ["person", "team"])
def test_a_person_and_a_team_have_budgets_for_all_their_models_together(
    evaluation: Evaluation, task: Task, settings: Any, whose: str
):
    setattr(settings, f"MOP_EVALUATION_BUDGET_{whose.upper()}", 1)
    model = evaluation.revision.model
    finished(evaluation)
    own = {"owner": evaluation.revision.created_by} if whose == "person" else {"team": model.team}
    second = verified(make_model("second", tasks=(task,), **own))
    other = verified(make_model("third", tasks=(task,)))
    start_missing(actor=ACTOR)
    mine, theirs = (Evaluation.objects.get(revision=one) for one in (second, other))
    with pytest.raises(EvaluationBudgetError, match=rf"The {whose} .* was measured once"):
        running(mine)
    running(theirs)


def test_a_team_that_is_renamed_has_no_new_budget(evaluation: Evaluation, settings: Any):
    settings.MOP_EVALUATION_BUDGET_TEAM = 1
    finished(evaluation)
    change_team(actor=ACTOR, team=evaluation.revision.model.team, name="as new")
    change_team(actor=ACTOR, team=evaluation.revision.model.team, description="still")
    evaluation.refresh_from_db()
    with pytest.raises(EvaluationBudgetError, match="team as new was measured once"):
        rerun(actor=ACTOR, evaluation=evaluation)


def test_a_run_counts_once_in_the_budget_however_often_it_resumes(evaluation: Evaluation):
    running(evaluation)
    running(evaluation)
    assert Measurement.objects.count() == 1


def test_who_deletes_a_version_to_measure_it_again_has_measured_twice(evaluation: Evaluation, settings: Any):
    finished(evaluation)
    Revision.objects.filter(pk=evaluation.revision_id).delete()
    assert Measurement.objects.count() == 1


def test_progress_and_counts_of_errors_change_in_steps_of_five_per_cent(evaluation: Evaluation):
    job = running(evaluation)
    assert job.chunk_rows == 10
    seen = []
    for number in range(4):
        _store(job, number, rows=6)
        evaluation.refresh_from_db()
        seen.append((evaluation.progress, evaluation.error_counts))
    assert seen == [(0, {}), (5, {"E": 2}), (5, {"E": 2}), (10, {"E": 4})]
    assert read_done(job).rows == 24
    assert evaluation.ends_about is not None


def test_a_part_of_the_rows_that_is_stored_twice_counts_once(evaluation: Evaluation):
    job = running(evaluation)
    _store(job, 0, rows=10)
    with pytest.raises(ConflictError):
        _store(job, 0, rows=10)
    assert read_done(job).rows == 10


def test_parts_go_when_the_run_ends(evaluation: Evaluation):
    _store(running(evaluation), 0, rows=10)
    cancel(actor=ACTOR, evaluation=evaluation)
    assert not EvaluationChunk.objects.exists()


def test_an_error_of_the_model_is_told_by_its_name_alone(evaluation: Evaluation):
    running(evaluation)
    conclude(str(evaluation.pk), 1, 1, UserScriptException("I saw a secret", place="src/inference.py:7"))
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.error["name"]) == (S.FAILED, "UserScriptException")
    assert "secret" not in str(evaluation.error)
    assert "inference.py" not in str(evaluation.error)
    assert "secret" not in " ".join(Notification.objects.values_list("reason", flat=True))


def test_after_a_cause_outside_the_model_the_run_goes_on_behind_what_is_kept(evaluation: Evaluation):
    job = running(evaluation)
    _store(job, 0, rows=10)
    assert _fails_outside(evaluation) == S.QUEUED
    assert (evaluation.state, evaluation.tries, evaluation.host, evaluation.progress) == (S.QUEUED, 2, "", 5)
    assert evaluation.error["name"] == "HostLostError"
    assert evaluation.retry_at > timezone.now()
    later = timezone.now() + dt.timedelta(seconds=1)
    assert list(EVALUATION_JOB.waiting(later)) == []
    Evaluation.objects.update(retry_at=timezone.now())
    assert list(EVALUATION_JOB.waiting(later)) == [evaluation]
    assert EVALUATION_JOB.workflow_id(evaluation) == f"evaluation:{evaluation.pk}:1:2"
    with pytest.raises(StaleAttemptError):
        read_job(str(evaluation.pk), 1, "worker-1", tries=1)
    job = read_job(str(evaluation.pk), 1, "worker-2", tries=2)
    begin(job)
    evaluation.refresh_from_db()
    assert (evaluation.state, evaluation.retry_at, evaluation.error) == (S.RUNNING, None, None)
    assert read_done(job).rows == 10
    assert Measurement.objects.count() == 1


def test_the_end_of_a_try_that_is_written_again_after_a_crash_changes_nothing(evaluation: Evaluation):
    running(evaluation)
    _fails_outside(evaluation)
    with pytest.raises(StaleAttemptError):
        conclude(str(evaluation.pk), 1, 1, HostLostError("The host went away."))
    evaluation.refresh_from_db()
    assert evaluation.tries == 2


def test_five_causes_outside_the_model_in_a_day_are_waited_out_and_the_next_ends_the_run(
    evaluation: Evaluation, settings: Any
):
    settings.MOP_RETRY_BASE = 30.0
    pauses = []
    for _ in range(5):
        assert _fails_outside(evaluation) == S.QUEUED
        pauses.append(round((evaluation.retry_at - timezone.now()).total_seconds()))
    assert pauses == [30, 60, 120, 240, 480]
    assert _fails_outside(evaluation) == S.FAILED
    assert evaluation.error["name"] == "HostLostError"
    assert "tried again several times" in evaluation.error["hint"]
    assert rerun(actor=ACTOR, evaluation=evaluation).tries == 1


def test_faults_of_the_platform_alert_the_operator_and_do_not_count(evaluation: Evaluation):
    fault = ArtifactDamagedError("A file is missing.")
    for _ in range(7):
        assert _fails_outside(evaluation, fault) == S.QUEUED
    assert Alert.objects.get().fault == "ArtifactDamagedError"


def test_a_run_that_waits_to_be_tried_again_can_be_cancelled(evaluation: Evaluation):
    running(evaluation)
    _fails_outside(evaluation)
    cancel(actor=ACTOR, evaluation=evaluation)
    assert list(EVALUATION_JOB.waiting(timezone.now() + dt.timedelta(days=1))) == []


def test_a_version_is_evaluated_after_its_load_test(model: Model, dataset: Dataset):
    revision = model.revisions.get()
    Revision.objects.filter(pk=revision.pk).update(load_test_option="PerRPS", status_changed_at=timezone.now())
    keep_up()
    assert not Evaluation.objects.exists(), "its pipeline is about to start the load test"
    test = enabled(revision)
    assert not is_wanted(revision)
    keep_up()
    assert not Evaluation.objects.exists(), "the load test waits"
    finished_load_test(test, [])
    keep_up()
    assert Evaluation.objects.filter(revision=revision).exists()


def test_nothing_waits_for_ever_for_a_load_test_that_was_never_started(model: Model, dataset: Dataset):
    long_ago = timezone.now() - dt.timedelta(hours=1)
    Revision.objects.filter(model=model).update(load_test_option="PerRPS", status_changed_at=long_ago)
    keep_up()
    assert Evaluation.objects.exists()


def test_labels_that_do_not_fit_end_in_a_mapping_error(evaluation: Evaluation):
    Task.objects.filter(pk=evaluation.task_id).update(labels=["no", "yes"])
    evaluation.refresh_from_db()
    with pytest.raises(EvaluationMappingError) as caught:
        label_map(evaluation.task, evaluation.dataset)
    conclude(str(evaluation.pk), 1, 1, caught.value)
    evaluation.refresh_from_db()
    assert evaluation.state == S.MAPPING_ERROR


def test_levels_called_0_and_1_are_told_from_the_labels_of_a_binary_dataset(dataset: Dataset):
    ordinal = make_task(label_type="Ordinal", labels=["0", "1", "2"])
    mapped = label_map(ordinal, dataset)
    assert mapped.labels == ("0", "1")
    assert mapped.levels == mapped.outside == ("level 0", "level 1", "level 2")
    assert mapped.places == (2, 3, 4)


def test_owners_of_model_and_dataset_are_told_of_a_result(evaluation: Evaluation, model: Model):
    finished(evaluation)
    told = {
        note.recipient_id: note
        for note in Notification.objects.filter(kind__in=("evaluationFinished", "datasetMeasured"))
    }
    assert f"{evaluation.headline:.4f}" in told[model.created_by_id].reason
    to_dataset_owner = told[evaluation.dataset.created_by_id]
    assert model.name not in to_dataset_owner.title + to_dataset_owner.reason  # the version is private
    assert f"{evaluation.headline:.4f}" not in to_dataset_owner.reason


def test_what_owners_of_a_dataset_were_told_of_a_public_version_goes_when_it_is_private_again(
    evaluation: Evaluation, model: Model
):
    publish_revision(actor=ACTOR, revision=evaluation.revision)
    finished(evaluation)
    told = Notification.objects.filter(recipient=evaluation.dataset.created_by, kind="datasetMeasured")
    assert model.name in told.get().title
    unpublish_revision(actor=ACTOR, revision=evaluation.revision)
    assert not told.exists()
    assert Notification.objects.filter(kind="evaluationFinished").exists()  # its owners see it


def test_a_single_result_of_a_private_version_is_published_and_withdrawn(evaluation: Evaluation):
    with pytest.raises(ConflictError):
        publish(actor=ACTOR, evaluation=evaluation)
    finished(evaluation)
    assert publish(actor=ACTOR, evaluation=evaluation).is_published
    with pytest.raises(ConflictError):
        publish(actor=ACTOR, evaluation=evaluation)
    assert not withdraw(actor=ACTOR, evaluation=evaluation).is_published
    actions = AuditEvent.objects.filter(object_id=str(evaluation.pk)).values_list("action", flat=True)
    assert {"evaluation.published", "evaluation.withdrawn"} <= set(actions)


def test_cancel_and_rerun_refuse_what_they_can_not_do(evaluation: Evaluation):
    with pytest.raises(ConflictError):
        rerun(actor=ACTOR, evaluation=evaluation)
    cancel(actor=ACTOR, evaluation=evaluation)
    with pytest.raises(ConflictError):
        cancel(actor=ACTOR, evaluation=evaluation)
    assert rerun(actor=ACTOR, evaluation=evaluation).attempt == 2
    keep_up()
    assert start_missing(actor=ACTOR) == 0


def test_results_go_with_the_dataset_and_with_the_version(evaluation: Evaluation, model: Model, dataset: Dataset):
    finished(evaluation)
    delete_dataset(actor=actor_of(dataset.owners.get()), dataset=dataset)
    assert not Evaluation.objects.exists()


def test_the_headline_dataset_is_the_largest_approved_unless_the_tasks_owner_chose_another(
    task: Task, dataset: Dataset
):
    small = approved_dataset(task)
    Dataset.objects.filter(pk=small.pk).update(rows=150)
    assert headline_dataset(task) == dataset
    choose_headline(actor=ACTOR, task=task, dataset=small)
    assert headline_datasets([task.pk]) == {task.pk: small.pk}
    reject(actor=actor_of(task.owners.get()), binding=small.bindings.get())
    assert headline_dataset(task) == dataset
    with pytest.raises(ConflictError):
        choose_headline(actor=ACTOR, task=task, dataset=small)
    choose_headline(actor=ACTOR, task=task, dataset=None)
    assert headline_dataset(make_task()) is None


def _fails_outside(evaluation: Evaluation, error: OutsideFault | None = None) -> EvaluationState:
    """A cause outside the model ends the try that stands."""
    evaluation.refresh_from_db()
    outside = error or HostLostError("The host went away.")
    to = conclude(str(evaluation.pk), evaluation.attempt, evaluation.tries, outside)
    evaluation.refresh_from_db()
    return to


def _store(job: Any, number: int, *, rows: int) -> None:
    store_chunk(
        job,
        number=number,
        rows=rows,
        digest="ab" * 32,
        errors=Counter({"E": 1}),
        failed_rows={"E": [number]},
        seconds=1.0,
    )
