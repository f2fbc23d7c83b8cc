"""Evaluations of each model's v4.0.0 in the world of the permission tests: one is finished, one waits."""

from __future__ import annotations

from django.db.models import Q

from mop.areas.permissions import Row
from mop.catalog.models import Task
from mop.evaluation.advance import EVALUATION
from mop.evaluation.models import Evaluation
from mop.registry.models import Revision
from support.contract_runs import prove
from support.evaluation_results import approved_dataset, finished
from support.factories import ACTOR, make_task
from support.permission_world import Part, World

MEASURED, WAITING = "measured-dataset", "waiting-dataset"
OWNED = "task with an owner"


def _prepare(world: World) -> None:
    make_task(OWNED).owners.set([world.owner])
    datasets = [approved_dataset(world.task, name=name, groups={}) for name in (MEASURED, WAITING)]
    for revision in Revision.objects.filter(Q(version="v4.0.0") & Q(model__connections__task=world.task)):
        prove(revision)
        for dataset in datasets:  # not by `start_missing`: a load test of the version waits, too
            row = Evaluation(revision=revision, dataset=dataset, task=world.task, created_by_label=ACTOR.label)
            EVALUATION.begin(row, actor=ACTOR)
    for row in Evaluation.objects.filter(dataset__name=MEASURED):
        finished(row, keeps=False)


def _names(world: World, row: Row) -> dict[str, object]:
    if "/results/" in row.path or row.path == "/datasets/{name}/evaluations":
        return {"task_id": world.task.pk, "name": MEASURED}
    if "/headline" in row.path:
        return {"task_id": Task.objects.get(name=OWNED).pk, "task": OWNED}
    if "leaderboard" in row.path:
        return {"task": world.task.name}
    if "/rank" in row.path or "/evaluation" in row.path:
        dataset = WAITING if "/cancel" in row.path else MEASURED
        return {
            "version": "v4.0.0",
            "task": world.task.name,
            "task_id": world.task.pk,
            "dataset": dataset,
            "kind": "csv",
        }
    return {}


def _bodies(_world: World, _row: Row) -> dict[tuple[str, str], object]:
    return {
        ("PUT", "/tasks/{task}/headline-dataset"): {"dataset": None},
        ("POST", f"{_ONE}/verify"): {"rows": 10},
    }


_ONE = "/models/{name}/revisions/{version}/evaluations/{task}/{dataset}"
PART = Part(prepare=_prepare, names=_names, bodies=_bodies)
