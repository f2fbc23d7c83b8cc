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
from mop.errors import ConflictError, ValidationFailedError


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
def change_task(
    *, actor: Actor, task: Task, description: str | None = None, owners: Sequence[User] | None = None
) -> None:
    """Change a task's description and owners; what models and datasets are measured by stays.

    None leaves a field as it is by then.

    Raises:
        ValidationFailedError: nobody would own it.
    """
    if owners is not None and not owners:
        message = "A task needs at least one owner."
        raise ValidationFailedError(f"owners: {message}", fields={"owners": [message]})
    row = Task.objects.select_for_update(of=("self",)).get(pk=task.pk)
    data: dict[str, object] = {}
    if description is not None and description != row.description:
        row.description = description
        save_checked(row)
        data["description"] = "changed"
    if owners is not None:
        before = set(row.owners.all())
        row.owners.set(owners)
        for word, people in (("added", set(owners) - before), ("removed", before - set(owners))):
            if people:
                data[f"owners {word}"] = ", ".join(sorted(person.username for person in people))
    if data:
        record(
            actor=actor,
            action=Action.TASK_CHANGED,
            object_type="task",
            object_id=row.pk,
            object_label=row.name,
            data=data,
        )


@transaction.atomic
def replace_owner(*, actor: Actor, task: Task, user: User, to: User) -> None:
    """Make another person an owner of a task in the place of one."""
    row = Task.objects.select_for_update(of=("self",)).get(pk=task.pk)
    people = {person.pk: person for person in row.owners.all() if person.pk != user.pk}
    change_task(actor=actor, task=row, owners=list((people | {to.pk: to}).values()))


@transaction.atomic
def change_taxonomy(*, actor: Actor, taxonomy: Taxonomy, description: str) -> None:
    """Change a taxonomy's description; its name is in models' outputs and stays."""
    if taxonomy.description == description:
        return
    taxonomy.description = description
    save_checked(taxonomy)
    record(
        actor=actor,
        action=Action.TAXONOMY_CHANGED,
        object_type="taxonomy",
        object_id=taxonomy.pk,
        object_label=taxonomy.name,
    )


@transaction.atomic
def offer_instance_type(*, actor: Actor, instance_type: InstanceType, is_offered: bool) -> None:
    """Offer an instance type to new versions, or retire it; versions that have it keep it.

    Raises:
        ConflictError: none would be offered any more.
    """
    others = InstanceType.objects.select_for_update().filter(is_enabled=True).exclude(pk=instance_type.pk)
    if not is_offered and not others.exists():
        raise ConflictError(f"{instance_type.name} is the only one that is offered.", hint="Offer another one first.")
    if instance_type.is_enabled == is_offered:
        return
    instance_type.is_enabled = is_offered
    instance_type.save(update_fields=["is_enabled"])
    record(
        actor=actor,
        action=Action.INSTANCE_TYPE_OFFERED if is_offered else Action.INSTANCE_TYPE_RETIRED,
        object_type="instance_type",
        object_id=instance_type.pk,
        object_label=instance_type.name,
    )


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
