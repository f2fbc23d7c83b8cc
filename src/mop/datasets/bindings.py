"""Bindings of datasets to tasks: asked for by the dataset's owners, decided by the task's."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mop.audit.services import Actor, record
from mop.catalog.models import Task
from mop.datasets.actions import Action
from mop.datasets.candidates import LEAST_LABELS, common_labels, misfit
from mop.datasets.labels import labels_outside, reveal_labels
from mop.datasets.models import Binding, Dataset, LabelType
from mop.datasets.notices import forget_binding, notify_decided, notify_requested
from mop.datasets.states import BindingState, DatasetStatus
from mop.errors import ConflictError, ValidationFailedError


def check_tasks(tasks: Sequence[Task], *, modality: str, label_type: str, label_size: int | None) -> list[str]:
    """Why a dataset cannot be measured for these tasks, one message each."""
    found = [misfit(task, modality=modality, label_type=label_type, label_size=label_size) for task in tasks]
    messages = [message for message in found if message]
    if len({task.pk for task in tasks}) < len(tasks):
        messages.append("Name each task once.")
    labels = common_labels(label_type, tasks)
    if not messages and labels is not None and len(labels) < (label_size or LEAST_LABELS):
        messages.append("The tasks have too few labels in common for one dataset.")
    return messages


def ask_for(*, actor: Actor, dataset: Dataset, task: Task) -> None:
    """Ask the owners of a task to use the dataset. Call it in the transaction of the change."""
    binding = Binding.objects.create(dataset=dataset, task=task, requested_by_label=actor.label)
    if dataset.status == DatasetStatus.VERIFIED:
        notify_requested(binding, actor=actor)


def replace_tasks(*, actor: Actor, dataset: Dataset, tasks: Sequence[Task]) -> None:
    """Bind a dataset that the caller holds locked to these tasks alone.

    Raises:
        ValidationFailedError: it cannot be measured for one of them.
        ConflictError: one is added before the dataset is verified.
    """
    standing = {binding.task_id: binding for binding in dataset.bindings.select_related("task")}
    wanted = {task.pk: task for task in tasks}
    added = [task for task in tasks if task.pk not in standing]
    asked_anew = [standing[pk] for pk in wanted if pk in standing and standing[pk].state == BindingState.REJECTED]
    removed = [binding for pk, binding in standing.items() if pk not in wanted]
    if (added or asked_anew) and dataset.status != DatasetStatus.VERIFIED:
        raise ConflictError(
            f"{dataset} is {dataset.status}; tasks can be added to a verified dataset only.",
            hint="Wait until it is verified.",
        )
    messages = check_tasks(
        tasks, modality=dataset.file.modality, label_type=dataset.label_type, label_size=dataset.label_size
    )
    if dataset.label_type != LabelType.BINARY and dataset.labels:
        messages += [
            f"The dataset holds {count} labels that the task {task.name} does not have."
            for task in added
            if (count := labels_outside(dataset, task.labels))
        ]
    if messages:
        raise ValidationFailedError(f"tasks: {' '.join(messages)}", fields={"tasks": messages})
    for binding in removed:
        forget_binding(binding)
        binding.delete()
    for binding in asked_anew:
        forget_binding(binding)
        binding.delete()
    for task in [*added, *(binding.task for binding in asked_anew)]:
        ask_for(actor=actor, dataset=dataset, task=task)
        reveal_labels(dataset, task.labels)
    if added or asked_anew or removed:
        dataset.save(update_fields=["labels"])
        record(
            actor=actor,
            action=Action.DATASET_TASKS_CHANGED,
            object_type="dataset",
            object_id=dataset.pk,
            object_label=dataset.name,
            data={
                "asked": [task.name for task in added] + [binding.task.name for binding in asked_anew],
                "removed": [binding.task.name for binding in removed],
            },
        )


@transaction.atomic
def approve(*, actor: Actor, binding: Binding, comment: str = "") -> Binding:
    """Let models of the task be measured on the dataset.

    Raises:
        ConflictError: the dataset is not verified, has too few rows, or is approved already.
    """
    row = _locked(binding)
    dataset = row.dataset
    if dataset.status != DatasetStatus.VERIFIED:
        raise ConflictError(
            f"{dataset} is {dataset.status}; only verified datasets can be approved.",
            hint="Wait until it is verified." if dataset.status == DatasetStatus.CREATED else "",
        )
    if (dataset.rows or 0) < settings.MOP_DATASET_ROWS_MIN:
        raise ConflictError(
            f"{dataset} has {dataset.rows:,} rows; a dataset needs {settings.MOP_DATASET_ROWS_MIN:,} to be approved.",
            hint="Ask for a larger file; the operator can change MOP_DATASET_ROWS_MIN.",
        )
    return _decide(row, BindingState.APPROVED, Action.BINDING_APPROVED, actor, comment)


@transaction.atomic
def reject(*, actor: Actor, binding: Binding, comment: str = "") -> Binding:
    """Refuse a dataset, or take an approval back: models of the task are not measured on it.

    Raises:
        ConflictError: it is rejected already.
    """
    return _decide(_locked(binding), BindingState.REJECTED, Action.BINDING_REJECTED, actor, comment)


def _locked(binding: Binding) -> Binding:
    # the dataset first, as every other change does: its status decides
    Dataset.objects.select_for_update().filter(pk=binding.dataset_id).first()
    row = (
        Binding.objects.select_for_update(of=("self",)).select_related("dataset", "task").filter(pk=binding.pk).first()
    )
    if row is None:
        raise ConflictError("The request was withdrawn a moment ago.")
    return row


def _decide(row: Binding, state: BindingState, action: Action, actor: Actor, comment: str) -> Binding:
    if row.state == state:
        raise ConflictError(f"{row.dataset} is {state.value} for {row.task} already.")
    row.state, row.comment = state, comment
    row.decided_at, row.decided_by_label = timezone.now(), actor.label
    row.save()
    event = record(
        actor=actor,
        action=action,
        object_type="dataset",
        object_id=row.dataset_id,
        object_label=row.dataset.name,
        data={"task": row.task.name, "comment": comment},
    )
    notify_decided(row, actor=actor, event=event.pk)
    return row
