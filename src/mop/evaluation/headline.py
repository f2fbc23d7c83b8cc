"""The headline dataset of a task: its number is the one that stands beside a version."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from mop.audit.services import Actor, record
from mop.catalog.models import Task
from mop.datasets.models import Binding, Dataset
from mop.datasets.selectors import usable_datasets
from mop.datasets.states import BindingState, DatasetStatus
from mop.errors import ConflictError
from mop.evaluation.actions import Action
from mop.evaluation.models import Evaluation, TaskHeadline


@transaction.atomic
def choose_headline(*, actor: Actor, task: Task, dataset: Dataset | None) -> None:
    """Make a dataset a task's headline dataset; None leaves it to the largest approved one again.

    Raises:
        ConflictError: the dataset is not approved for the task.
    """
    if dataset is not None and not usable_datasets(task).filter(pk=dataset.pk).exists():
        raise ConflictError(
            f"{dataset} is not approved for {task}.", hint="Approve it first; only approved datasets are measured on."
        )
    if dataset is None:
        TaskHeadline.objects.filter(task=task).delete()
    else:
        TaskHeadline.objects.update_or_create(task=task, defaults={"dataset": dataset, "chosen_by_label": actor.label})
    record(
        actor=actor,
        action=Action.HEADLINE_CHOSEN,
        object_type="task",
        object_id=task.pk,
        object_label=task.name,
        data={"dataset": dataset.name if dataset else None},
    )


def headline_datasets(tasks: Collection[int]) -> Mapping[int, int]:
    """The headline dataset of each task, by their ids: the chosen one while it is approved, else the largest approved.

    A task without an approved dataset has none. Two queries, however many tasks.
    """
    chosen = dict(TaskHeadline.objects.filter(task__in=tasks).values_list("task_id", "dataset_id"))
    approved = (
        Binding.objects.filter(task__in=tasks, state=BindingState.APPROVED, dataset__status=DatasetStatus.VERIFIED)
        .order_by("task_id", "-dataset__rows", "dataset__name")
        .values_list("task_id", "dataset_id")
    )
    found: dict[int, int] = {}
    for task_id, dataset_id in approved:
        if task_id not in found or chosen.get(task_id) == dataset_id:
            found[task_id] = dataset_id
    return found


def at_headline(rows: QuerySet[Evaluation]) -> QuerySet[Evaluation]:
    """Of these evaluations those on the headline dataset of their task. Becomes part of the query."""
    approved = Binding.objects.filter(
        task=OuterRef("task"), state=BindingState.APPROVED, dataset__status=DatasetStatus.VERIFIED
    )
    chosen = TaskHeadline.objects.filter(task=OuterRef("task"), dataset__in=approved.values("dataset"))
    largest = approved.order_by("-dataset__rows", "dataset__name")
    headline = Coalesce(Subquery(chosen.values("dataset")[:1]), Subquery(largest.values("dataset")[:1]))
    return rows.filter(dataset=headline)


def chosen_headline(task: Task) -> tuple[Dataset | None, bool]:
    """The headline dataset of one task, and whether an owner of the task chose it."""
    dataset = headline_dataset(task)
    chosen = TaskHeadline.objects.filter(task=task).values_list("dataset", flat=True).first()
    return dataset, dataset is not None and dataset.pk == chosen


def headline_dataset(task: Task) -> Dataset | None:
    """The headline dataset of one task."""
    pk = headline_datasets([task.pk]).get(task.pk)
    return None if pk is None else Dataset.objects.select_related("file").get(pk=pk)
