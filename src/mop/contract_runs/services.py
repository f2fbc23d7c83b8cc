"""Writes that people and the pipeline ask for: connected tasks, another sample, contract runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from mop.areas.registry import registered
from mop.audit.services import Actor, record
from mop.catalog.models import Task
from mop.contract_runs.actions import Action
from mop.contract_runs.advance import CONTRACT_RUN
from mop.contract_runs.area import QUEUES, RUN
from mop.contract_runs.models import ContractRun, Subject
from mop.contract_runs.selectors import unproved_connections, unproved_tasks
from mop.contract_runs.states import CONTRACT_RUN_LIFECYCLE, ContractRunState
from mop.engine.job import Job
from mop.errors import ConflictError, ValidationFailedError
from mop.registry.advance import REVISION
from mop.registry.models import CUSTOMIZED_NAME_MAX, Model, Revision, TaskConnection
from mop.registry.samples import check_sample, sample_tag
from mop.registry.statuses import REVISION_LIFECYCLE, RevisionStatus

CONTRACT_RUN_JOB: Job[ContractRun] = Job(
    workflow=RUN.name,
    workflow_id=lambda run: run.workflow_id,
    queue=lambda run: run.queue,
    args=lambda run: (str(run.pk),),
    waiting=CONTRACT_RUN.waiting,
    release=CONTRACT_RUN.release,
)


@transaction.atomic
def add_task(*, actor: Actor, model: Model, task: Task, customized_name: str = "") -> list[ContractRun]:
    """Connect a task to a model, and start its contract check for each verified version.

    A version that is not verified yet is proved with the task by its own verification. A task that is connected already
    takes the other name, as long as no version was proved with it under the old one.

    Args:
        actor: who is recorded.
        model: whose task.
        task: of a taxonomy of which the model has no task yet.
        customized_name: what the model's output calls the taxonomy; its own name if empty.

    Returns:
        The contract runs that were started, one for each verified version that was not proved with the task before.

    Raises:
        ValidationFailedError: the model has another task of the taxonomy, or this one under a proved name, or the name
            is taken or too long.
    """
    # versions before their model, as whatever changes their status does
    list(Revision.objects.select_for_update().filter(model=model).order_by("pk").values_list("pk"))
    locked = Model.objects.select_for_update(of=("self",)).get(pk=model.pk)
    name = customized_name.strip() or task.taxonomy.name
    misnamed = unproved_tasks(locked).filter(task=task).exclude(customized_name=name).first()
    _check_connection(locked, task, name, but=misnamed)
    if misnamed:
        misnamed.customized_name = name
        misnamed.save(update_fields=["customized_name"])
    else:
        TaskConnection.objects.create(model=locked, taxonomy=task.taxonomy, task=task, customized_name=name)
        _tell_of_change(locked)
    record(
        actor=actor,
        action=Action.TASK_CONNECTED,
        object_type="model",
        object_id=model.pk,
        object_label=model.name,
        data={"task": task.name, "customized_name": name},
    )
    verified = Revision.objects.filter(model=locked, status=RevisionStatus.VERIFIED)
    return [run for revision in verified for run in start_missing_checks(actor=actor, revision=revision)]


@transaction.atomic
def disconnect_task(*, actor: Actor, model: Model, task: Task) -> None:
    """Take a task from a model. Its results are hidden, not lost: connecting it again shows them again.

    Raises:
        ConflictError: it is the model's only task, or an area above needs it; the message says why.
    """
    Model.objects.select_for_update(of=("self",)).get(pk=model.pk)
    connection = TaskConnection.objects.select_related("task", "model").filter(model=model, task=task).first()
    if connection is None:
        raise ConflictError(f"{task.name} is not connected to {model.name}.")
    if obstacle := disconnection_obstacle(connection):
        raise ConflictError(obstacle, hint="Connect another task first, or keep this one.")
    running = ContractRun.objects.filter(
        revision__model=model, task=task, state__in=CONTRACT_RUN_LIFECYCLE.live
    ).values_list("pk", flat=True)
    for pk in list(running):
        run = CONTRACT_RUN.lock(pk)
        if run.get_state().is_live:
            _cancel(run, actor)
    connection.delete()
    _tell_of_change(model)
    record(
        actor=actor,
        action=Action.TASK_DISCONNECTED,
        object_type="model",
        object_id=model.pk,
        object_label=model.name,
        data={"task": task.name, "customized_name": connection.customized_name},
    )


def _tell_of_change(model: Model) -> None:
    for change in [change.load() for area in registered() for change in area.connection_changes]:
        change(model)


def disconnection_obstacle(connection: TaskConnection) -> str:
    """Why a task cannot be disconnected from its model; empty where it can."""
    connected = TaskConnection.objects.filter(model=connection.model_id)
    return disconnection_obstacles(connected.select_related("task")).get(connection.task_id, "")


def disconnection_obstacles(connections: Iterable[TaskConnection]) -> Mapping[int, str]:
    """Of all connections of a model those that cannot be ended, by the ids of their tasks, with the reason."""
    every = list(connections)
    if len(every) == 1:
        (only,) = every
        return {only.task_id: f"{only.task.name} is the only connected task; a model needs at least one."}
    reasons: dict[int, list[str]] = defaultdict(list)
    for guard in [guard.load() for area in registered() for guard in area.disconnection_guards]:
        for task_id, reason in guard(every).items():
            reasons[task_id].append(reason)
    return {task_id: " ".join(found) for task_id, found in reasons.items()}


@transaction.atomic
def start_missing_checks(*, actor: Actor, revision: Revision) -> list[ContractRun]:
    """Start the contract check of each connected task that a verified version was not proved with.

    Done twice it starts nothing more; a check that failed is not started again.
    """
    row = REVISION.lock(revision.pk)
    if row.get_status() != RevisionStatus.VERIFIED:
        return []
    runs = [
        ContractRun(
            revision=row, subject=Subject.TASK, task=connection.task, customized_name=connection.customized_name
        )
        for connection in unproved_connections(row)
        if not ContractRun.objects.filter(
            revision=row, task=connection.task_id, customized_name=connection.customized_name
        )
        .exclude(state=ContractRunState.CANCELLED)
        .exists()
    ]
    for run in runs:
        _begin(run, actor)
    return runs


def lacks_a_proof(revision: Revision) -> bool:
    """Whether a verified version was not proved with a connected task: it was added while the version was verified."""
    return revision.get_status() == RevisionStatus.VERIFIED and bool(unproved_connections(revision))


@transaction.atomic
def check_task(*, actor: Actor, revision: Revision, task: Task) -> ContractRun:
    """Check a verified version with a connected task again.

    Raises:
        ConflictError: the version is not verified, or passed already, or a check waits or runs.
        ValidationFailedError: the task is not connected.
    """
    row = _verified(revision)
    connection = row.model.connections.select_related("task").filter(task=task).first()
    if connection is None:
        message = f"{task.name} is not connected to {row.model.name}."
        raise ValidationFailedError(f"task: {message}", fields={"task": [message]})
    if not any(missing.pk == connection.pk for missing in unproved_connections(row)):
        raise ConflictError(f"{row} passed the contract check of {task.name} already.")
    _refuse_live(row.contract_runs.filter(subject=Subject.TASK, task=task))
    run = ContractRun(
        revision=row, subject=Subject.TASK, task=connection.task, customized_name=connection.customized_name
    )
    _begin(run, actor)
    return run


@transaction.atomic
def change_sample(*, actor: Actor, revision: Revision, sample: Any, expected: str | None = None) -> ContractRun | None:
    """Give a version another sample post data. A verified version keeps the old one until a contract run passed.

    Args:
        actor: who is recorded.
        revision: whose sample.
        sample: the item of `inference()`; None for none.
        expected: the tag of the sample that the person saw (`sample_tag`); None not to compare.

    Returns:
        The contract run; None where the sample was taken at once: none is left, which needs no proof, or the version
        failed or was cancelled, and is verified with it when it is tried again.

    Raises:
        ValidationFailedError: the sample is too large or too deep.
        ConflictError: somebody changed the sample meanwhile, a sample is being verified, the sample is the same, or
            the version cannot be verified as it stands.
    """
    check_sample(sample)
    row = REVISION.lock(revision.pk)
    if expected is not None and expected != sample_tag(row.sample_post_data):
        raise ConflictError(
            "Somebody changed the sample post data meanwhile.", hint="Compare both, then send yours again."
        )
    if sample_tag(sample) == sample_tag(row.sample_post_data):
        raise ConflictError("This is the sample post data that the version has.")
    needs_no_run = row.get_status() in REVISION_LIFECYCLE.restarts and row.get_status().is_final
    if needs_no_run or (sample is None and row.get_status() == RevisionStatus.VERIFIED):
        _refuse_live(row.contract_runs.filter(subject=Subject.SAMPLE))
        row.sample_post_data = sample
        row.save(update_fields=["sample_post_data"])
        record(
            actor=actor,
            action=Action.SAMPLE_CHANGED,
            object_type="revision",
            object_id=row.pk,
            object_label=str(row),
        )
        return None
    _verified(row)
    _refuse_live(row.contract_runs.filter(subject=Subject.SAMPLE))
    run = ContractRun(revision=row, subject=Subject.SAMPLE, sample=sample)
    _begin(run, actor)
    return run


@transaction.atomic
def cancel_run(*, actor: Actor, run: ContractRun) -> None:
    """End a contract run that waits or runs.

    Raises:
        ConflictError: it ended already.
    """
    row = CONTRACT_RUN.lock(run.pk)
    if not row.get_state().is_live:
        raise ConflictError(f"The {row} is {row.state}; there is nothing to cancel.")
    _cancel(row, actor)


def _cancel(run: ContractRun, actor: Actor) -> None:
    CONTRACT_RUN.move(run, ContractRunState.CANCELLED, actor=actor)
    CONTRACT_RUN_JOB.stop(run)


def _begin(run: ContractRun, actor: Actor) -> None:
    run.queue = QUEUES.of(run.revision.instance_type.queue_name)
    run.created_by_label = actor.label
    CONTRACT_RUN.begin(run, actor=actor)
    CONTRACT_RUN_JOB.start(run)


def _verified(revision: Revision) -> Revision:
    row = REVISION.lock(revision.pk)
    if row.get_status() != RevisionStatus.VERIFIED:
        raise ConflictError(
            f"{row} is {row.status}; only a verified version is run again.",
            hint="Wait until it is verified; what is vulnerable or outdated is not started again.",
        )
    return row


def _refuse_live(runs: Any) -> None:
    run = runs.filter(state__in=CONTRACT_RUN_LIFECYCLE.live).select_related("revision__model", "task").first()
    if run is not None:
        raise ConflictError(
            f"A {run}, started by {run.created_by_label}, is on its way.", hint="Wait for it, or cancel it first."
        )


def _check_connection(model: Model, task: Task, name: str, *, but: TaskConnection | None) -> None:
    fields: dict[str, list[str]] = {}
    connections = model.connections.select_related("task", "taxonomy")
    others: Sequence[TaskConnection] = list(connections.exclude(pk=but.pk) if but else connections)
    for other in others:
        if other.task_id == task.pk:
            fields.setdefault("task", []).append(f"{task.name} is connected already.")
        elif other.taxonomy_id == task.taxonomy_id:
            fields.setdefault("task", []).append(
                f"The model has the task {other.task.name} of the taxonomy {other.taxonomy.name}; there is at most one."
            )
        if other.customized_name == name:
            fields.setdefault("customized_name", []).append("Another taxonomy has this name; they must differ.")
    if len(name) > CUSTOMIZED_NAME_MAX:
        fields.setdefault("customized_name", []).append(f"At most {CUSTOMIZED_NAME_MAX} characters.")
    if fields:
        text = "; ".join(f"{field}: {' '.join(messages)}" for field, messages in fields.items())
        raise ValidationFailedError(text, fields=fields)
