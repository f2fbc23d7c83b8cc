"""A task in the world of the permission tests."""

from __future__ import annotations

from typing import Any

from mop.areas.permissions import Row
from mop.catalog.models import InstanceType
from support.permission_world import Part, World


def _names(world: World, row: Row) -> dict[str, object]:
    names = {"taxonomy_id": world.task.taxonomy_id, "type_id": InstanceType.objects.first().pk}
    return {**names, "task_id": world.task.pk, **({"name": world.task.name} if row.path.startswith("/tasks/") else {})}


def _bodies(world: World, _row: Row) -> dict[tuple[str, str], Any]:
    task = {"modality": "Text", "taxonomy": "Hate", "label_type": "Categorical", "labels": ["0", "1"]}
    return {
        ("POST", "/taxonomies"): {"name": "new"},
        ("POST", "/instance-types"): {"name": "new", "vcpus": 1, "memory_gib": 1},
        ("POST", "/tasks"): {"name": "new", "team": world.team.name, **task},
    }


PART = Part(names=_names, bodies=_bodies)
