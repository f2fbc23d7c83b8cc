"""Writes to taxonomies, tasks and instance types."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from mop.accounts.models import Team, User
from mop.accounts.validation import save_checked
from mop.audit.services import Actor, record
from mop.catalog.actions import Action
from mop.catalog.defaults import INSTANCE_TYPES, TAXONOMIES
from mop.catalog.models import InstanceType, Task, Taxonomy


@transaction.atomic
def create_task(
    *,
    actor: Actor,
    user: User,
    name: str,
    description: str,
    team: Team,
    owners: Sequence[User],
    modality: str,
    taxonomy: Taxonomy,
    label_type: str,
    labels: list[str],
) -> Task:
    """Define a task.

    Raises:
        ValidationFailedError: a field breaks its rule.
    """
    task = Task(
        name=name,
        description=description,
        team=team,
        modality=modality,
        taxonomy=taxonomy,
        label_type=label_type,
        labels=labels,
        created_by=user,
    )
    save_checked(task)
    task.owners.set(owners)
    record(
        actor=actor,
        action=Action.TASK_CREATED,
        object_type="task",
        object_id=task.pk,
        object_label=name,
        data={"modality": modality, "taxonomy": taxonomy.name, "label_type": label_type, "labels": labels},
    )
    return task


@transaction.atomic
def create_taxonomy(*, actor: Actor, name: str, description: str = "") -> Taxonomy:
    """Define a taxonomy.

    Raises:
        ValidationFailedError: the name is taken or empty.
    """
    taxonomy = Taxonomy(name=name, description=description)
    save_checked(taxonomy)
    record(
        actor=actor, action=Action.TAXONOMY_CREATED, object_type="taxonomy", object_id=taxonomy.pk, object_label=name
    )
    return taxonomy


@transaction.atomic
def create_instance_type(
    *, actor: Actor, name: str, vcpus: int, memory_gib: float, gpus: int = 0, gpu_name: str = ""
) -> InstanceType:
    """Define an instance type.

    Raises:
        ValidationFailedError: a field breaks its rule.
    """
    instance_type = InstanceType(name=name, vcpus=vcpus, memory_gib=memory_gib, gpus=gpus, gpu_name=gpu_name)
    save_checked(instance_type)
    record(
        actor=actor,
        action=Action.INSTANCE_TYPE_CREATED,
        object_type="instance_type",
        object_id=instance_type.pk,
        object_label=name,
        data={"vcpus": vcpus, "memory_gib": memory_gib, "gpus": gpus},
    )
    return instance_type


@transaction.atomic
def seed_defaults() -> None:
    """Put in the default taxonomies and instance types that are missing; change nothing that stands."""
    for name, description in TAXONOMIES:
        Taxonomy.objects.get_or_create(name=name, defaults={"description": description})
    for size in INSTANCE_TYPES:
        InstanceType.objects.get_or_create(
            name=size.name,
            defaults={"vcpus": size.vcpus, "memory_gib": size.memory_gib, "gpus": size.gpus, "gpu_name": size.gpu_name},
        )
