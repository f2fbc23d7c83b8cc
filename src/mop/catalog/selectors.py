"""Reads of taxonomies, tasks and instance types. Everyone signed in sees them all."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from mop.catalog.models import InstanceType, Task, Taxonomy
from mop.errors import NotFoundError


def tasks_for_list(*, search: str = "", taxonomy: str = "", modality: str = "") -> QuerySet[Task]:
    """Tasks by name, with what a row shows.

    Args:
        search: part of the name or description, case-insensitive.
        taxonomy: the name of one taxonomy; empty for all.
        modality: one modality; empty for all.
    """
    tasks = Task.objects.select_related("team", "taxonomy", "created_by").prefetch_related("owners").order_by("name")
    if search:
        tasks = tasks.filter(Q(name__icontains=search) | Q(description__icontains=search))
    if taxonomy:
        tasks = tasks.filter(taxonomy__name=taxonomy)
    if modality:
        tasks = tasks.filter(modality=modality)
    return tasks


def get_task(name: str) -> Task:
    """A task by name.

    Raises:
        NotFoundError: there is none.
    """
    task = tasks_for_list().filter(name=name).first()
    if task is None:
        raise NotFoundError(f"There is no task {name!r}.")
    return task


def get_task_by_id(task_id: int) -> Task:
    """A task by id.

    Raises:
        NotFoundError: there is none.
    """
    task = tasks_for_list().filter(pk=task_id).first()
    if task is None:
        raise NotFoundError(f"There is no task {task_id}.")
    return task


def get_taxonomy(name: str) -> Taxonomy:
    """A taxonomy by name.

    Raises:
        NotFoundError: there is none.
    """
    taxonomy = Taxonomy.objects.filter(name=name).first()
    if taxonomy is None:
        raise NotFoundError(f"There is no taxonomy {name!r}.")
    return taxonomy


def get_taxonomy_by_id(taxonomy_id: int) -> Taxonomy:
    """A taxonomy by id.

    Raises:
        NotFoundError: there is none.
    """
    taxonomy = Taxonomy.objects.filter(pk=taxonomy_id).first()
    if taxonomy is None:
        raise NotFoundError(f"There is no taxonomy {taxonomy_id}.")
    return taxonomy


def get_instance_type_by_id(type_id: int) -> InstanceType:
    """An instance type by id, offered or not.

    Raises:
        NotFoundError: there is none.
    """
    instance_type = InstanceType.objects.filter(pk=type_id).first()
    if instance_type is None:
        raise NotFoundError(f"There is no instance type {type_id}.")
    return instance_type


def get_instance_type(name: str) -> InstanceType:
    """An instance type that models may ask for.

    Raises:
        NotFoundError: there is none, or it is not enabled.
    """
    instance_type = offered_instance_types().filter(name=name).first()
    if instance_type is None:
        raise NotFoundError(f"There is no instance type {name!r}.")
    return instance_type


def offered_instance_types() -> QuerySet[InstanceType]:
    """Instance types that models may ask for, smallest first."""
    return InstanceType.objects.filter(is_enabled=True)
