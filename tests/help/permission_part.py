"""A guide in the world of the permission tests."""

from __future__ import annotations

from mop.areas.permissions import Row
from support.permission_world import Part, World


def _names(_world: World, row: Row) -> dict[str, object]:
    return {"name": "errors"} if row.path.startswith(("/help/", "/guides/")) else {}


PART = Part(names=_names)
