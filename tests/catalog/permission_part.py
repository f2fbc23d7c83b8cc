"""A task in the world of the permission tests."""

from __future__ import annotations

from typing import Any

from mop.areas.permissions import Row
from mop.catalog.models import InstanceType, Task
from support.permission_world import Part, World


def _names(world: World, row: Row) -> dict[str, object]:
    instance_type = InstanceType.objects.first()
    names = {"taxonomy_id": world.task.taxonomy_id, "type_id": instance_type.pk, "task_id": world.task.pk}
    named = {"tasks": world.task.name, "taxonomies": world.task.taxonomy.name, "instance-types": instance_type.name}
    kind = row.path.split("/")[1]
    return {**names, **({"name": named[kind]} if kind in named else {})}


def _bodies(world: World, _row: Row) -> dict[tuple[str, str], Any]:
    task = {"modality": "Text", "taxonomy": "Hate", "label_type": "Categorical", "labels": ["0", "1"]}
    return {
        ("POST", "/taxonomies"): {"name": "new"},
        ("POST", "/instance-types"): {"name": "new", "vcpus": 1, "memory_gib": 1},
        ("PATCH", "/taxonomies/{name}"): {"description": "another"},
        ("PATCH", "/instance-types/{name}"): {"is_offered": False},
        ("PATCH", "/tasks/{name}"): {"description": "another"},
        ("POST", "/tasks"): {"name": "new", "team": world.team.name, **task},
    }


def _share(world: World) -> None:
    for task in Task.objects.filter(owners=world.owner):
        task.owners.add(*world.holders("task owner"))


PART = Part(names=_names, bodies=_bodies, share=_share)
