"""A try of the owner's of each model's v4.0.0 in the world of the permission tests."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from mop.areas.permissions import Row
from mop.registry.models import Revision
from mop.trials.models import Trial
from mop.trials.states import TrialState
from support.permission_world import Part, World


def _prepare(world: World) -> None:
    for revision in Revision.objects.filter(version="v4.0.0"):
        Trial.objects.create(
            revision=revision, user=world.owner, state=TrialState.CANCELLED, ended_at=timezone.now(), queue="any"
        )


def _names(_world: World, row: Row) -> dict[str, object]:
    if "/try" not in row.path:
        return {}
    return {"version": "v4.0.0", "try_id": Trial.objects.get(revision__model__name=row.object).pk}


def _bodies(_world: World, _row: Row) -> dict[tuple[str, str], Any]:
    return {("POST", "/models/{name}/revisions/{version}/try"): {"text": ""}}


PART = Part(prepare=_prepare, names=_names, bodies=_bodies)
