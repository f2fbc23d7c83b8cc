"""Histories in the world of the permission tests."""

from __future__ import annotations

from mop.areas.permissions import Row
from mop.registry.models import Model
from support.permission_world import Part, World


def _names(world: World, row: Row) -> dict[str, object]:
    if not row.path.startswith("/history/"):
        return {}
    if row.object == "task":
        return {"kind": "task", "object_id": world.task.pk}
    return {"kind": "model", "object_id": Model.objects.get(name=row.object).pk}


PART = Part(names=_names)
