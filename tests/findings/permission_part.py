"""A scan and a waiver of each model in the world of the permission tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from mop.areas.permissions import Row
from mop.findings.models import Waiver
from mop.findings.waivers import create_waiver
from mop.registry.models import Model
from support.factories import ACTOR
from support.permission_world import Part, World
from support.scans import EVERY_ACTION, keep_scan

WAIVED = {"scanner": "model-files", "rule": "code-execution", "path": "model/weights.pkl", "reason": "It is ours."}


def _prepare(world: World) -> None:
    for model in Model.objects.all():
        keep_scan(model.revisions.get(version="v1.0.0"), *EVERY_ACTION)
        create_waiver(actor=ACTOR, user=world.owner, model=model, owner=world.owner, until=_in_a_month(), **WAIVED)


def _names(_world: World, row: Row) -> dict[str, object]:
    waiver = Waiver.objects.filter(model__name=row.object).first()
    return {
        **({"waiver_id": waiver.pk} if waiver else {}),
        **({"kind": "json"} if "/findings/" in row.path else {}),
        **({"version": "v2.0.0"} if row.path.rstrip("/").endswith("/rescan") else {}),
    }


def _bodies(world: World, _row: Row) -> dict[tuple[str, str], Any]:
    waiver = {**WAIVED, "owner": world.owner.username, "until": _in_a_month().isoformat()}
    return {("POST", "/models/{name}/waivers"): waiver}


def _in_a_month() -> dt.date:
    return timezone.localdate() + dt.timedelta(days=30)


PART = Part(prepare=_prepare, names=_names, bodies=_bodies)
