"""Tasks and samples of versions that are verified already, without any process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mop.areas.area import Area
from mop.areas.references import Ref
from mop.audit.models import AuditEvent
from mop.contract_runs.advance import CONTRACT_RUN
from mop.contract_runs.jobs import accept, begin, read_job, refuse
from mop.contract_runs.models import ContractRun
from mop.contract_runs.selectors import connected_tasks, tasks_to_add
from mop.contract_runs.services import (
    add_task,
    cancel_run,
    change_sample,
    check_task,
    disconnect_task,
    lacks_a_proof,
    start_missing_checks,
)
from mop.contract_runs.states import CONTRACT_RUN_LIFECYCLE, ContractRunState
from mop.engine.watch import Run
from mop.errors import (
    ConflictError,
    HostLostError,
    StaleAttemptError,
    TaskLabelMismatchError,
    ValidationFailedError,
)
from mop.registry.models import Model, Revision, TaskConnection
from mop.registry.samples import sample_tag
from mop.registry.services import create_revision
from mop.registry.statuses import RevisionStatus
from support.areas import also_registered
from support.contract_runs import pass_run, prove
from support.factories import ACTOR, make_model, make_revision_input, make_task

pytestmark = pytest.mark.django_db
S = ContractRunState


@pytest.fixture
def model() -> Model:
    """A model with one verified version, which was proved with its one task, Hate."""
    made = make_model(tasks=(make_task(),))
    verify(made.revisions.get())
    return made


def verify(revision: Revision) -> Revision:
    """What onboarding does at its end."""
    prove(revision)
    Revision.objects.filter(pk=revision.pk).update(status=RevisionStatus.VERIFIED, artifact_digest="ab" * 32)
    revision.refresh_from_db()
    return revision


def states(model: Model) -> dict[str, list[str]]:
    return {
        one.connection.task.name: [version.state.value for version in reversed(one.versions)]
        for one in connected_tasks(model, Revision.objects.all(), 10).tasks
    }


def test_what_is_over_stays_so_and_what_lives_can_be_cancelled():
    transitions = CONTRACT_RUN_LIFECYCLE.transitions
    assert all(not transitions[state] for state in CONTRACT_RUN_LIFECYCLE.final)
    assert all(S.CANCELLED in transitions[state] for state in CONTRACT_RUN_LIFECYCLE.live)


def test_each_verified_version_is_checked_with_an_added_task_and_a_failure_concerns_that_task_alone(model: Model):
    second = verify(
        create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v2"))
    )
    create_revision(actor=ACTOR, user=model.created_by, model=model, revision=make_revision_input("v3"))
    hate = model.connections.get().task
    violence = make_task(taxonomy="Violence", labels=["low", "high"])
    runs = add_task(actor=ACTOR, model=model, task=violence, customized_name="violent")
    assert {run.revision.version for run in runs} == {"v1.0.0", "v2"}
    assert states(model)[violence.name] == ["queued", "queued", "notAvailable"]
    passing, failing = sorted(runs, key=lambda run: run.revision.version)
    job = read_job(str(passing.pk), "w1")
    assert [(task.customized_name, task.labels) for task in job.tasks] == [("violent", ("low", "high"))]
    assert job.sample is None
    pass_run(passing)
    begin(read_job(str(failing.pk), "w1").run_id)
    refuse(str(failing.pk), TaskLabelMismatchError("labels differ"))
    assert states(model) == {
        hate.name: ["passed", "passed", "notAvailable"],
        violence.name: ["passed", "failed", "notAvailable"],
    }
    second.refresh_from_db()
    assert second.status == RevisionStatus.VERIFIED
    shown = connected_tasks(model, Revision.objects.filter(pk=second.pk), 10)
    (failed,) = [one for one in shown.tasks if one.connection.task == violence]
    assert failed.versions[0].error["name"] == "TaskLabelMismatchError"
    assert not start_missing_checks(actor=ACTOR, revision=second), "what failed is not started by itself"
    again = check_task(actor=ACTOR, revision=second, task=violence)
    pass_run(again)
    assert states(model)[violence.name] == ["passed", "passed", "notAvailable"]
    with pytest.raises(ConflictError, match="passed the contract check"):
        check_task(actor=ACTOR, revision=second, task=violence)


def test_a_task_that_was_added_while_a_version_was_verified_is_checked_afterwards_and_once(model: Model):
    revision = model.revisions.get()
    Revision.objects.filter(pk=revision.pk).update(status=RevisionStatus.DEPLOYMENT_CREATED)
    assert add_task(actor=ACTOR, model=model, task=make_task(taxonomy="Violence")) == []
    Revision.objects.filter(pk=revision.pk).update(status=RevisionStatus.VERIFIED)
    revision.refresh_from_db()
    assert lacks_a_proof(revision)
    assert len(start_missing_checks(actor=ACTOR, revision=revision)) == 1
    assert start_missing_checks(actor=ACTOR, revision=revision) == []


def test_a_model_has_one_task_per_taxonomy_and_different_names(model: Model):
    hate = model.connections.get()
    assert not tasks_to_add(model).filter(taxonomy=hate.taxonomy).exists()
    for task, name, field in (
        (make_task(), "other", "task"),
        (hate.task, "other", "task"),
        (make_task(taxonomy="Sexual"), hate.customized_name, "customized_name"),
        (make_task(taxonomy="Sexual"), "x" * 101, "customized_name"),
    ):
        with pytest.raises(ValidationFailedError) as caught:
            add_task(actor=ACTOR, model=model, task=task, customized_name=name)
        assert field in caught.value.fields
    assert model.connections.count() == 1


def test_a_wrong_name_is_corrected_until_a_version_was_proved_with_it():
    task, other = make_task("one"), make_task("two", taxonomy="Violence")
    model = make_model("misnamed", tasks=(task, other))
    known = {one.task_id: one.customized_name for one in model.connections.all()}
    with pytest.raises(ValidationFailedError) as caught:
        add_task(actor=ACTOR, model=model, task=task, customized_name=known[other.pk])
    assert "customized_name" in caught.value.fields
    assert add_task(actor=ACTOR, model=model, task=task, customized_name="right") == []
    assert {one.task_id: one.customized_name for one in model.connections.all()} == known | {task.pk: "right"}
    prove(model.revisions.get())
    with pytest.raises(ValidationFailedError, match="is connected already"):
        add_task(actor=ACTOR, model=model, task=task, customized_name="another")


def test_disconnecting_hides_what_connecting_again_shows(model: Model):
    violence = make_task(taxonomy="Violence")
    (run,) = add_task(actor=ACTOR, model=model, task=violence)
    pass_run(run)
    disconnect_task(actor=ACTOR, model=model, task=violence)
    assert violence.name not in states(model)
    assert add_task(actor=ACTOR, model=model, task=violence) == [], "its proof stands"
    assert states(model)[violence.name] == ["passed"]
    disconnect_task(actor=ACTOR, model=model, task=violence)
    (other,) = add_task(actor=ACTOR, model=model, task=violence, customized_name="another name")
    assert other.get_state() == S.QUEUED, "under another name it is another contract"
    actions = list(AuditEvent.objects.filter(action__startswith="model.task_").values_list("action", flat=True))
    assert sorted(set(actions)) == ["model.task_connected", "model.task_disconnected"]


def test_disconnecting_ends_the_checks_that_wait(model: Model):
    violence = make_task(taxonomy="Violence")
    (run,) = add_task(actor=ACTOR, model=model, task=violence)
    disconnect_task(actor=ACTOR, model=model, task=violence)
    run.refresh_from_db()
    assert run.get_state() == S.CANCELLED
    assert not CONTRACT_RUN.wanted({Run(str(run.pk))})
    with pytest.raises(StaleAttemptError):
        read_job(str(run.pk), "w1")


def test_the_last_task_stays_and_an_area_above_may_hold_one(model: Model):
    hate = model.connections.get().task
    with pytest.raises(ConflictError, match="is the only connected task"):
        disconnect_task(actor=ACTOR, model=model, task=hate)
    violence = make_task(taxonomy="Violence")
    add_task(actor=ACTOR, model=model, task=violence)
    with (
        also_registered(Area(name="above", disconnection_guards=(Ref(f"{__name__}:held"),))),
        pytest.raises(ConflictError, match="A live release uses it"),
    ):
        disconnect_task(actor=ACTOR, model=model, task=hate)
    disconnect_task(actor=ACTOR, model=model, task=hate)
    with pytest.raises(ConflictError, match="is not connected"):
        disconnect_task(actor=ACTOR, model=model, task=hate)


def held(connections: Sequence[TaskConnection]) -> dict[int, str]:
    """The guard of that area."""
    return {one.task_id: "A live release uses it." for one in connections if one.taxonomy.name == "Hate"}


def test_the_old_sample_counts_until_the_new_one_passed(model: Model):
    revision = model.revisions.get()
    run = change_sample(actor=ACTOR, revision=revision, sample={"text": "new"})
    assert run is not None
    job = read_job(str(run.pk), "w1")
    assert (job.tasks, job.sample) == ((), {"text": "new"})
    with pytest.raises(ConflictError, match="is on its way"):
        change_sample(actor=ACTOR, revision=revision, sample={"text": "newer"})
    begin(run.pk)
    refuse(str(run.pk), TaskLabelMismatchError("no"))
    revision.refresh_from_db()
    assert (revision.sample_post_data, revision.status) == (None, RevisionStatus.VERIFIED)
    second = change_sample(actor=ACTOR, revision=revision, sample={"text": "new"})
    assert second is not None
    pass_run(second)
    revision.refresh_from_db()
    assert revision.sample_post_data == {"text": "new"}
    assert change_sample(actor=ACTOR, revision=revision, sample=None) is None, "nothing is left to prove"
    revision.refresh_from_db()
    assert revision.sample_post_data is None


def test_a_step_that_runs_again_after_a_crash_writes_its_end_once(model: Model):
    run = change_sample(actor=ACTOR, revision=model.revisions.get(), sample={"text": "new"})
    assert run is not None
    for _ in range(2):
        begin(read_job(str(run.pk), "w1").run_id)
    accept(str(run.pk), ["a warning"])
    changes = AuditEvent.objects.filter(object_type="contract_run", object_id=str(run.pk))
    assert [event.data["to"] for event in changes.order_by("id")] == ["queued", "running", "passed"]
    run.refresh_from_db()
    assert run.warnings == ["a warning"]


def test_an_outside_cause_decides_nothing(model: Model):
    run = change_sample(actor=ACTOR, revision=model.revisions.get(), sample={"text": "new"})
    assert run is not None
    refuse(str(run.pk), HostLostError("the host went away"))
    run.refresh_from_db()
    assert run.get_state() == S.UNDECIDED


@pytest.mark.parametrize("status", [RevisionStatus.VERIFY_FAILED, RevisionStatus.CANCELLED])
def test_a_version_that_is_tried_again_takes_its_sample_at_once(model: Model, status: RevisionStatus):
    Revision.objects.filter(model=model).update(status=status)
    assert change_sample(actor=ACTOR, revision=model.revisions.get(), sample=[1]) is None
    assert model.revisions.get().sample_post_data == [1]
    assert not ContractRun.objects.exists()


@pytest.mark.parametrize(
    "status", [RevisionStatus.CREATED, RevisionStatus.TO_BE_RETRIED, RevisionStatus.VULNERABLE, RevisionStatus.OUTDATED]
)
def test_a_version_that_is_not_verified_is_not_run(model: Model, status: RevisionStatus):
    Revision.objects.filter(model=model).update(status=status)
    with pytest.raises(ConflictError, match="only a verified version is run again"):
        change_sample(actor=ACTOR, revision=model.revisions.get(), sample=[1])


def test_a_version_that_became_vulnerable_is_not_run_any_more(model: Model):
    run = change_sample(actor=ACTOR, revision=model.revisions.get(), sample=[1])
    assert run is not None
    Revision.objects.filter(model=model).update(status=RevisionStatus.VULNERABLE)
    with pytest.raises(ConflictError, match="by now"):
        read_job(str(run.pk), "w1")


def test_of_two_people_who_edit_a_sample_the_second_is_told(model: Model):
    Revision.objects.filter(model=model).update(status=RevisionStatus.CANCELLED)
    revision = model.revisions.get()
    seen = sample_tag(revision.sample_post_data)
    change_sample(actor=ACTOR, revision=revision, sample={"text": "first"}, expected=seen)
    with pytest.raises(ConflictError, match="Somebody changed"):
        change_sample(actor=ACTOR, revision=revision, sample={"text": "second"}, expected=seen)


def _deep(levels: int) -> Any:
    return [] if levels == 0 else [_deep(levels - 1)]


@pytest.mark.parametrize(
    ("sample", "why"),
    [(_deep(60), "deeper than"), ("x" * (5 * 1024**2), "bytes"), ({"score": float("nan")}, "NaN")],
)
def test_a_hostile_sample_is_refused(model: Model, sample: Any, why: str):
    with pytest.raises(ValidationFailedError, match=why):
        change_sample(actor=ACTOR, revision=model.revisions.get(), sample=sample)


def test_a_run_that_ended_can_not_be_cancelled(model: Model):
    run = change_sample(actor=ACTOR, revision=model.revisions.get(), sample=[1])
    assert run is not None
    cancel_run(actor=ACTOR, run=run)
    with pytest.raises(ConflictError, match="nothing to cancel"):
        cancel_run(actor=ACTOR, run=run)
