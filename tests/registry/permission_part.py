"""Two models of one owner in the world of the permission tests: a private and a public one, each in several versions.

v1.0.0 waits, v2.0.0 failed, v3.0.0 and v4.0.0 are verified.
"""

from __future__ import annotations

from typing import Any

from mop.areas.permissions import Row
from mop.registry.group_models import ModelGroup
from mop.registry.groups import add_to_group, create_group, share_group
from mop.registry.models import Model, Revision
from mop.registry.services import add_owner, create_revision
from support.factories import ACTOR, make_model, make_revision_input, publish
from support.permission_world import Part, World
from support.scans import DIGEST

MODELS = ("private", "public")
GROUPS = ("kept", "shared")


VERSIONS = {"retry": "v2.0.0", "publish": "v3.0.0", "unpublish": "v3.0.0", "outdated": "v3.0.0"}


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
    for name in GROUPS:
        group = create_group(actor=ACTOR, user=world.owner, name=name)
        add_to_group(group=group, models=Model.objects.filter(name="private"))
        share_group(actor=ACTOR, group=group, user=world.coowner)
        if name == "shared":
            share_group(actor=ACTOR, group=group, team=world.team)


def _names(world: World, row: Row) -> dict[str, object]:
    action = row.path.rstrip("/").rpartition("/")[2]
    version = VERSIONS.get(action, "v1.0.0")
    group = ModelGroup.objects.filter(name="shared" if row.object == "shared" else "kept").first()
    names: dict[str, object] = {"draft": "unknown", "version": version}
    if row.object in MODELS or row.path.startswith("/groups/"):
        names["name"] = row.object if row.object in MODELS else "private"
    if group is None:
        return names
    return {**names, "group_id": group.pk, "share_id": group.shares.get(user=world.coowner).pk}


def _bodies(world: World, row: Row) -> dict[tuple[str, str], Any]:
    team = {"team": world.team.name} if row.object == "the-team" else {}
    model = {"model_url": make_revision_input().model_url, "connections": [{"task": world.task.name}]}
    return {
        ("POST", "/models"): model | team,
        ("POST", "/groups"): {"name": "new"},
        ("PATCH", "/groups/{group_id}"): {"name": "newer"},
        ("POST", "/groups/{group_id}/shares"): {"username": "user"},
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
