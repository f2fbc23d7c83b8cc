"""A downstream service of the owner's, and conditions of a task of theirs, in the world of the permission tests."""

from __future__ import annotations

from typing import Any

from mop.areas.permissions import Row
from mop.catalog.models import Task
from mop.releases.models import ServiceKind
from mop.releases.services import change_gate, create_service
from support.factories import ACTOR, make_task
from support.permission_world import Part, World

TASK = "gated task"
CONDITIONS = "all datasets: macro F1 >= 0.8"


def _prepare(world: World) -> None:
    root = world.people["administrator"]
    assert root is not None
    service = create_service(actor=ACTOR, user=root, name="Content Safety", kind=ServiceKind.AACS, admins=[world.owner])
    change_gate(actor=ACTOR, owner=service, conditions=CONDITIONS)
    change_gate(actor=ACTOR, owner=make_task(TASK, owners=[world.owner]), conditions=CONDITIONS)


def _names(_world: World, row: Row) -> dict[str, object]:
    names: dict[str, object] = {"service": "Content Safety"}
    if row.path == "/tasks/{task}/gate":
        names["task"] = TASK
    if row.path == "/tasks/<int:task_id>/conditions/":
        names["task_id"] = Task.objects.get(name=TASK).pk
    return names


def _bodies(world: World, _row: Row) -> dict[tuple[str, str], Any]:
    conditions = {"conditions": "open findings <= 3"}
    return {
        ("POST", "/services"): {"name": "new", "kind": "RAIO", "admins": [world.owner.username]},
        ("PATCH", "/services/{service}"): {"contact": "#safety"},
        ("PUT", "/services/{service}/gate"): conditions,
        ("PUT", "/tasks/{task}/gate"): conditions,
        ("POST", "/gates/check"): conditions,
    }


PART = Part(prepare=_prepare, names=_names, bodies=_bodies)
