"""A source prefix in the world of the permission tests."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from mop.areas.permissions import Row
from mop.sources.models import SourcePrefix
from mop.sources.purposes import Purpose
from mop.sources.services import add_prefix
from support.factories import ACTOR
from support.permission_world import Part, World


def _prepare(world: World) -> None:
    root = world.people["administrator"]
    assert root is not None
    prefix = settings.MOP_FILE_ROOTS[0].as_uri()
    add_prefix(actor=ACTOR, user=root, team=world.team, purpose=Purpose.DATASETS, prefix=prefix)


def _names(_world: World, _row: Row) -> dict[str, object]:
    return {"prefix_id": SourcePrefix.objects.values_list("pk", flat=True).first()}


def _bodies(world: World, _row: Row) -> dict[tuple[str, str], Any]:
    prefix = (settings.MOP_FILE_ROOTS[0] / "new").as_uri()
    return {("POST", "/source-prefixes"): {"team": world.team.name, "purpose": "datasets", "prefix": prefix}}


PART = Part(prepare=_prepare, names=_names, bodies=_bodies)
