"""A golden set that the owner supplied, and runs of each model's v4.0.0 on it, in the world of the permission tests."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from golden_sets.made import csv_file, predicted, supplied
from mop.areas.permissions import Row
from mop.catalog.models import Task
from mop.golden_sets.advance import GOLDEN
from mop.golden_sets.models import GoldenRun
from mop.golden_sets.services import start_missing
from mop.registry.models import Revision
from support.case_runs import finished
from support.contract_runs import prove
from support.factories import ACTOR, make_task
from support.permission_world import Part, World

TASK, NAME = "golden task", "core"


def _prepare(world: World) -> None:
    supplied(make_task(TASK, owners=[world.owner]), name=NAME, by=world.owner)
    supplied(world.task, name="of-the-model", by=world.task.owners.get())
    for revision in Revision.objects.filter(Q(version="v4.0.0") & Q(model__connections__task=world.task)):
        prove(revision)
        start_missing(actor=ACTOR, revision=revision, waits=False)
    for run in GoldenRun.objects.all():
        finished(GOLDEN, run, predicted)


def _names(_world: World, row: Row) -> dict[str, object]:
    if row.path.startswith(("/models", "/live/models")) and "/golden-sets/" in row.path + "/":
        return {"version": "v4.0.0"}
    if "golden-set" in row.path:
        return {"task": TASK, "task_id": Task.objects.get(name=TASK).pk, "name": NAME, "number": 1}
    return {}


def _bodies(_world: World, _row: Row) -> dict[tuple[str, str], Any]:
    body = {"name": "another", "format": "csv", "content": csv_file()}
    return {("POST", "/tasks/{task}/golden-sets"): body}


PART = Part(prepare=_prepare, names=_names, bodies=_bodies)
