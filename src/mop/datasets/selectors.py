"""Reads of datasets. Everybody signed in sees their metadata; no read gives anything of their rows."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Prefetch, Q, QuerySet

from mop.accounts.models import User
from mop.catalog.models import Task
from mop.datasets.models import Binding, Dataset, Reading, SharedRows
from mop.datasets.states import HIDDEN_BY_DEFAULT, BindingState, DatasetStatus
from mop.errors import NotFoundError

SORTS = {
    "name": "name",
    "status": "status",
    "team": "file__team__name",
    "created": "created_at",
    "updated": "status_changed_at",
}


def datasets_for_list(*, search: str = "", status: str = "", modality: str = "", task: str = "") -> QuerySet[Dataset]:
    """Datasets with what a row shows.

    Args:
        search: part of the name or description, case-insensitive.
        status: a status; `all`; empty for all except outdated and verifyFailed.
        modality: one modality; empty for all.
        task: the name of a bound task; empty for all.
    """
    datasets = Dataset.objects.select_related("file", "file__team", "reading", "created_by").prefetch_related(
        "owners", Prefetch("bindings", Binding.objects.select_related("task").order_by("task__name"))
    )
    if search:
        datasets = datasets.filter(Q(name__icontains=search) | Q(description__icontains=search))
    if not status:
        datasets = datasets.exclude(status__in=HIDDEN_BY_DEFAULT)
    elif status != "all":
        datasets = datasets.filter(status=status)
    if modality:
        datasets = datasets.filter(file__modality=modality)
    if task:
        datasets = datasets.filter(bindings__task__name=task)
    return datasets


def sort_of(sort: str) -> tuple[str, bool]:
    """The field that a sort of the list means, and whether it descends; what is unknown sorts by name."""
    return SORTS.get(sort.removeprefix("-"), "name"), sort.startswith("-")


def get_dataset(name: str) -> Dataset:
    """A dataset by name, with what its page shows.

    Raises:
        NotFoundError: there is none.
    """
    dataset = datasets_for_list(status="all").filter(name=name).first()
    if dataset is None:
        raise NotFoundError(f"There is no dataset {name!r}.")
    return dataset


def related_datasets(dataset: Dataset) -> list[str]:
    """Names of the other datasets of the same file."""
    others = Dataset.objects.filter(file=dataset.file_id).exclude(pk=dataset.pk)
    return list(others.order_by("name").values_list("name", flat=True))


def get_binding(task: Task, name: str) -> Binding:
    """The binding of a dataset to a task.

    Raises:
        NotFoundError: the dataset does not ask for the task.
    """
    binding = bindings_of(task).filter(dataset__name=name).first()
    if binding is None:
        raise NotFoundError(f"No dataset {name!r} asks to be used for {task.name}.")
    return binding


def get_binding_by_id(binding_id: int) -> Binding:
    """A binding by id; every dataset and task is seen by everybody, so whether it exists is no secret.

    Raises:
        NotFoundError: there is none.
    """
    binding = Binding.objects.select_related("task", "dataset").filter(pk=binding_id).first()
    if binding is None:
        raise NotFoundError(f"There is no connection request {binding_id}.")
    return binding


def bindings_of(task: Task) -> QuerySet[Binding]:
    """All bindings of a task with what a row shows, those that wait first."""
    return (
        Binding.objects.filter(task=task)
        .select_related("task", "dataset", "dataset__file", "dataset__file__team", "dataset__created_by")
        .order_by("requested_at", "id")
    )


def open_requests(task: Task) -> QuerySet[Binding]:
    """What waits for an owner of the task: bindings of verified datasets."""
    return bindings_of(task).filter(state=BindingState.REQUESTED, dataset__status=DatasetStatus.VERIFIED)


def requests_for(user: User) -> QuerySet[Binding]:
    """What waits for this person as owner of tasks."""
    return (
        Binding.objects.filter(task__owners=user, state=BindingState.REQUESTED, dataset__status=DatasetStatus.VERIFIED)
        .select_related("task", "dataset")
        .order_by("requested_at", "id")
    )


def requests_around(user: User) -> QuerySet[Binding]:
    """What waits for this person (`waiting`), and what datasets of theirs `asked` for. One query."""
    decides = Exists(Task.owners.through.objects.filter(task=OuterRef("task"), user=user))
    waiting = decides & Q(dataset__status=DatasetStatus.VERIFIED)
    asks = Exists(Dataset.owners.through.objects.filter(dataset=OuterRef("dataset"), user=user))
    return (
        Binding.objects.filter(state=BindingState.REQUESTED)
        .annotate(asked=asks, waiting=ExpressionWrapper(waiting, BooleanField()))
        .filter(Q(asked=True) | Q(waiting=True))
        .select_related("task", "dataset")
        .order_by("requested_at", "id")
    )


def usable_datasets(task: Task) -> QuerySet[Dataset]:
    """What models of a task are measured on: verified datasets that an owner of the task approved."""
    return Dataset.objects.filter(
        status=DatasetStatus.VERIFIED, bindings__task=task, bindings__state=BindingState.APPROVED
    ).select_related("file", "reading")


def shared_with(binding: Binding) -> list[tuple[str, int]]:
    """Names of the task's other datasets that share rows with this one, and how many; for owners of the task alone."""
    reading = binding.dataset.reading_id
    pairs = SharedRows.objects.filter(Q(one=reading) | Q(other=reading))
    counts = {pair.other_id if pair.one_id == reading else pair.one_id: pair.count for pair in pairs}
    others = Dataset.objects.filter(
        reading__in=counts, status=DatasetStatus.VERIFIED, bindings__task=binding.task_id
    ).order_by("name")
    return [(other.name, counts[other.reading_id]) for other in others]


def comparable_readings(reading: Reading) -> QuerySet[Reading]:
    """Other readings of verified datasets of the same modality, with digests."""
    return (
        Reading.objects.filter(file__modality=reading.file.modality, datasets__status=DatasetStatus.VERIFIED)
        .exclude(rows_artifact_digest="")
        .exclude(pk=reading.pk)
        .distinct()
    )


def answered_for_datasets(user: User) -> QuerySet[Dataset, Any]:
    """Ids of the datasets that the user answers for, so is told of."""
    return Dataset.objects.filter(owners=user).values("pk")


def decided_bindings(user: User) -> QuerySet[Binding, Any]:
    """Ids of the bindings that the user decides about, so is told of."""
    return Binding.objects.filter(task__owners=user).values("pk")


def team_of_dataset(dataset_id: int) -> int | None:
    """The id of the team that a dataset belongs to."""
    return Dataset.objects.filter(pk=dataset_id).values_list("file__team_id", flat=True).first()


def team_of_binding(binding_id: int) -> int | None:
    """The id of the team whose task a dataset asks for."""
    return Binding.objects.filter(pk=binding_id).values_list("task__team_id", flat=True).first()
