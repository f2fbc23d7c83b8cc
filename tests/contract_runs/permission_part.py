"""In the world of the permission tests each model has a second task, and its v4.0.0 a sample that is being verified."""

from __future__ import annotations

from typing import Any

from mop.areas.permissions import Row
from mop.catalog.models import Task
from mop.contract_runs.models import ContractRun
from mop.contract_runs.services import change_sample
from mop.registry.models import Revision
from support.factories import ACTOR, make_task
from support.permission_world import Part, World

ADDED = "a task to add"
SECOND = "a second task"
_OURS = ("/tasks/", "/sample", "/contract-runs")


def _prepare(_world: World) -> None:
    make_task(ADDED, taxonomy="Defensive")
    second = make_task(SECOND, taxonomy="Jailbreak")
    for revision in Revision.objects.filter(version="v4.0.0").select_related("model"):
        revision.model.connections.create(taxonomy=second.taxonomy, task=second, customized_name="Jailbreak")
        change_sample(actor=ACTOR, revision=revision, sample={"text": "another"})


def _names(_world: World, row: Row) -> dict[str, object]:
    if "/models/" not in row.path or not any(part in row.path for part in _OURS):
        return {}
    run = ContractRun.objects.filter(revision__model__name=row.object).first()
    return {
        "version": "v4.0.0" if "/cancel" in row.path else "v3.0.0",
        "run_id": run.pk if run else "",
        "task": SECOND,
        "task_id": Task.objects.get(name=SECOND).pk,
    }


def _bodies(_world: World, _row: Row) -> dict[tuple[str, str], Any]:
    return {
        ("POST", "/models/{name}/tasks"): {"task": ADDED},
        ("PUT", "/models/{name}/revisions/{version}/sample"): {"sample_post_data": {"text": "new"}},
        ("POST", "/models/{name}/revisions/{version}/contract-runs"): {"task": SECOND},
    }


PART = Part(prepare=_prepare, names=_names, bodies=_bodies)
