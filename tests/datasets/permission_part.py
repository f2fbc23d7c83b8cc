"""A verified dataset of the owner's that asks for a task of theirs, one that failed and one that waits.

They are rows alone: who may do what does not depend on what stands in a file.
"""

from __future__ import annotations

from typing import Any

from mop.areas.permissions import Row
from mop.datasets.models import Dataset
from support.datasets import dataset_folder, dataset_input, make_datasets
from support.factories import make_task
from support.permission_world import Part, World

TASK = "owned task"


def _prepare(world: World) -> None:
    task = make_task(TASK, owners=[world.owner])
    for name in ("verified", "failed", "waiting"):
        make_datasets(dataset_input(f"dataset-{name}", tasks=[task]), owner=world.owner, team=world.team)
    for dataset in Dataset.objects.all():
        dataset.owners.add(world.coowner)
    Dataset.objects.filter(name="dataset-verified").update(status="verified", rows=150)
    Dataset.objects.filter(name="dataset-failed").update(status="verifyFailed", rows=150)


def _names(world: World, row: Row) -> dict[str, object]:
    last = row.path.rstrip("/").rpartition("/")[2]
    if row.path.startswith("/tasks/{task}"):
        return {"task": TASK, "name": "dataset-verified"}
    if "connection-requests" in row.path:
        return {"binding_id": Dataset.objects.get(name="dataset-verified").bindings.get().pk}
    if "/datasets/" not in row.path:
        return {}
    name = {"retry": "dataset-failed", "cancel": "dataset-waiting"}.get(last, "dataset-verified")
    return {"name": name}


def _bodies(world: World, row: Row) -> dict[tuple[str, str], Any]:
    team = {"team": world.team.name} if row.object == "the-team" else {}
    return {
        ("POST", "/datasets"): {
            "modality": "Text",
            "url": dataset_folder().as_uri(),
            "datasets": [{"label_header": "hate", "name": "new-dataset", "label_type": "Binary"}],
            **team,
        },
        ("PATCH", "/datasets/{name}"): {"description": "new"},
        ("POST", "/datasets/{name}/owners"): {"username": world.coowner.username},
        ("POST", "/tasks/{task}/datasets/{name}/approve"): {"comment": "fits"},
        ("POST", "/tasks/{task}/datasets/{name}/reject"): {},
    }


def _share(world: World) -> None:
    for dataset in Dataset.objects.filter(owners=world.owner):
        dataset.owners.add(*world.holders("dataset owner"))


PART = Part(
    share=_share,
    prepare=_prepare,
    names=_names,
    bodies=_bodies,
    forms={f"/datasets/<str:name>/owners/{change}/": {"username": "coowner"} for change in ("add", "remove")},
)
