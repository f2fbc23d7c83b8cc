"""Two models of one owner in the world of the permission tests: a private and a public one, each in several versions.

v1.0.0 waits, v2.0.0 failed, v3.0.0 and v4.0.0 are verified.
"""

from __future__ import annotations

from typing import Any

from mop.areas.permissions import Row
from mop.registry.models import Model, Revision
from mop.registry.services import add_owner, create_revision
from support.factories import ACTOR, make_model, make_revision_input, publish
from support.permission_world import Part, World
from support.scans import DIGEST

MODELS = ("private", "public")


def _prepare(world: World) -> None:
    for name in MODELS:
        model = make_model(name, owner=world.owner, team=world.team, tasks=(world.task,))
        add_owner(actor=ACTOR, model=model, user=world.coowner)
        for version in ("v2.0.0", "v3.0.0", "v4.0.0"):
            create_revision(actor=ACTOR, user=world.owner, model=model, revision=make_revision_input(version))
            found = (
                {"status": "verified"} if version != "v2.0.0" else {"status": "verifyFailed", "artifact_digest": DIGEST}
            )
            Revision.objects.filter(model=model, version=version).update(**found)
    publish(Model.objects.get(name="public"))


def _names(_world: World, row: Row) -> dict[str, object]:
    version = "v2.0.0" if row.path.rstrip("/").endswith("/retry") else "v1.0.0"
    return {"draft": "unknown", "version": version, **({"name": row.object} if row.object in MODELS else {})}


def _bodies(world: World, row: Row) -> dict[tuple[str, str], Any]:
    team = {"team": world.team.name} if row.object == "the-team" else {}
    model = {"model_url": make_revision_input().model_url, "connections": [{"task": world.task.name}]}
    return {
        ("POST", "/models"): model | team,
        ("PATCH", "/models/{name}"): {"description": "new"},
        ("POST", "/models/{name}/owners"): {"username": world.coowner.username},
        ("POST", "/models/{name}/revisions"): {},
        ("PATCH", "/models/{name}/revisions/{version}"): {"note": "new"},
        ("PUT", "/models/{name}/revisions/{version}/allowed-hosts"): {"hosts": ["api.example"]},
    }


PART = Part(
    prepare=_prepare,
    names=_names,
    bodies=_bodies,
    forms={f"/models/<str:name>/owners/{change}/": {"username": "coowner"} for change in ("add", "remove")},
)
