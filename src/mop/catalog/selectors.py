"""Reads of taxonomies, tasks and instance types. Everyone signed in sees them all."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from mop.catalog.defaults import DEFAULT_INSTANCE_TYPE
from mop.catalog.models import InstanceType, Task, Taxonomy
from mop.errors import NotFoundError

_Row = TypeVar("_Row", bound=Model)


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
    return _first(tasks_for_list().filter(name=name), f"task {name!r}")


def get_task_by_id(task_id: int) -> Task:
    """A task by id.

    Raises:
        NotFoundError: there is none.
    """
    return _first(tasks_for_list().filter(pk=task_id), f"task {task_id}")


def get_taxonomy(name: str) -> Taxonomy:
    """A taxonomy by name.

    Raises:
        NotFoundError: there is none.
    """
    return _first(Taxonomy.objects.filter(name=name), f"taxonomy {name!r}")


def get_taxonomy_by_id(taxonomy_id: int) -> Taxonomy:
    """A taxonomy by id.

    Raises:
        NotFoundError: there is none.
    """
    return _first(Taxonomy.objects.filter(pk=taxonomy_id), f"taxonomy {taxonomy_id}")


def get_instance_type_by_id(type_id: int) -> InstanceType:
    """An instance type by id, offered or not.

    Raises:
        NotFoundError: there is none.
    """
    return _first(InstanceType.objects.filter(pk=type_id), f"instance type {type_id}")


def get_instance_type(name: str) -> InstanceType:
    """An instance type that models may ask for.

    Raises:
        NotFoundError: there is none, or it is not enabled.
    """
    return _first(offered_instance_types().filter(name=name), f"instance type {name!r}")


def get_instance_type_by_name(name: str) -> InstanceType:
    """An instance type, offered or not.

    Raises:
        NotFoundError: there is none.
    """
    return _first(InstanceType.objects.filter(name=name), f"instance type {name!r}")


def offered_instance_types() -> QuerySet[InstanceType]:
    """Instance types that models may ask for, smallest first."""
    return InstanceType.objects.filter(is_enabled=True)


def default_instance_type() -> InstanceType:
    """The instance type of a version that names none: MOP's own default, the smallest that is offered without it.

    Raises:
        NotFoundError: none is offered.
    """
    offered = offered_instance_types()
    return offered.filter(name=DEFAULT_INSTANCE_TYPE).first() or _first(offered, "instance type that is offered")


def _first(found: QuerySet[_Row], what: str) -> _Row:
    row = found.first()
    if row is None:
        raise NotFoundError(f"There is no {what}.")
    return row
