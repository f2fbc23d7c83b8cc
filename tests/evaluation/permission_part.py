"""Evaluations of each model's v4.0.0 in the world of the permission tests: one is finished, one waits."""

from __future__ import annotations

from django.db.models import Q

from mop.areas.permissions import Row
from mop.evaluation.models import Evaluation
from mop.registry.models import Revision
from support.contract_runs import prove
from support.evaluation_results import approved_dataset, finished
from support.factories import ACTOR
from support.permission_world import Part, World

MEASURED, WAITING = "measured-dataset", "waiting-dataset"


def _prepare(world: World) -> None:
    from mop.evaluation.services import start_missing  # noqa: PLC0415 - tables are made by now

    for name in (MEASURED, WAITING):
        approved_dataset(world.task, name=name, groups={})
    for revision in Revision.objects.filter(Q(version="v4.0.0") & Q(model__connections__task=world.task)):
        prove(revision)
        start_missing(actor=ACTOR, revision=revision)
    for row in Evaluation.objects.filter(dataset__name=MEASURED):
        finished(row, keeps=False)


def _names(world: World, row: Row) -> dict[str, object]:
    if "/results/" in row.path:
        return {"task_id": world.task.pk, "name": MEASURED}
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


PART = Part(prepare=_prepare, names=_names)
