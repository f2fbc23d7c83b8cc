"""A downstream service of the owner's with releases in every state, and conditions of a task of theirs."""

from __future__ import annotations

from typing import Any

from mop.areas.permissions import Row
from mop.catalog.models import Task
from mop.notifications.webhooks import create_webhook
from mop.registry.models import Model
from mop.releases.models import Policy, Service, ServiceKind
from mop.releases.release_models import Release, ServiceToken
from mop.releases.requests.notices import owner_of, service_webhooks
from mop.releases.requests.tokens import create_service_token
from mop.releases.services import change_gate, create_service
from support.factories import ACTOR, make_task
from support.permission_world import Part, World
from support.releases import approved, live, make_releasable, next_version, releasable, requested

TASK = "gated task"
SERVICE = "Content Safety"
CONDITIONS = "all datasets: macro F1 >= 0.8"
REASON = {"comment": "because"}

# the version whose release stands for an action: v1 was live before v2, which is; v5 is a canary
RELEASES = {
    "approve": "v3",
    "reject": "v3",
    "withdraw": "v4",
    "released": "v4",
    "acknowledge": "v4",
    "retire": "v2",
    "rollback": "v2",
    "canary": "v5",
    "end": "v5",
}


def _prepare(world: World) -> None:
    root = world.people["administrator"]
    assert root is not None
    service = create_service(
        actor=ACTOR, user=root, name=SERVICE, kind=ServiceKind.AACS, admins=[world.owner], policy=Policy.WARN
    )
    change_gate(actor=ACTOR, owner=service, conditions=CONDITIONS)
    change_gate(actor=ACTOR, owner=make_task(TASK, owners=[world.owner]), conditions=CONDITIONS)
    releasable(Model.objects.get(name="public").revisions.get(version="v4.0.0"))
    model = make_releasable(make_task()).model
    live(model.revisions.get(), service)
    live(next_version(model, "v2"), service)
    requested(next_version(model, "v3"), service)
    approved(next_version(model, "v4"), service)
    approved(next_version(model, "v5"), service, canary_share=5)
    create_service_token(actor=ACTOR, user=world.owner, service=service, name="pull")
    create_webhook(actor=ACTOR, url="https://hooks.example/releases", owner=owner_of(service.pk))


def _names(_world: World, row: Row) -> dict[str, object]:
    names: dict[str, object] = {"service": SERVICE}
    if row.path == "/tasks/{task}/gate":
        names["task"] = TASK
    if row.path == "/tasks/<int:task_id>/conditions/":
        names["task_id"] = Task.objects.get(name=TASK).pk
    if "number" in row.path:
        names["number"] = _number(row)
    if "/bundle" in row.path and "{number}" in row.path:
        names["number"] = 999_999  # of no release
    if "/card/download/" in row.path:
        names["kind"] = "md"
    return names


def _number(row: Row) -> int:
    service = Service.objects.get(name=SERVICE)
    if "/tokens/" in row.path:
        return ServiceToken.objects.get(service=service).pk
    if "/webhooks/" in row.path:
        return service_webhooks(service.pk).get().pk
    action = row.path.rstrip("/").rpartition("/")[2]
    return Release.objects.get(service=service, version=RELEASES.get(action, "v3")).pk


def _bodies(world: World, row: Row) -> dict[tuple[str, str], Any]:
    conditions = {"conditions": "open findings <= 3"}
    offered = {"model": row.object, "version": "v4.0.0"}
    return {
        ("POST", "/services"): {"name": "new", "kind": "RAIO", "admins": [world.owner.username]},
        ("PATCH", "/services/{service}"): {"contact": "#safety"},
        ("PUT", "/services/{service}/gate"): conditions,
        ("PUT", "/tasks/{task}/gate"): conditions,
        ("POST", "/gates/check"): conditions,
        ("POST", "/services/{service}/releases"): offered | REASON,
        ("POST", "/services/{service}/releases/check"): offered,
        ("POST", "/services/{service}/cases"): {"task": TASK, "content": {"text": "You fool."}, "expected_label": "1"},
        ("PUT", "/releases/{number}/canary"): {"share": 10},
        ("POST", "/services/{service}/tokens"): {"name": "second"},
        ("POST", "/services/{service}/webhooks"): {"url": "https://hooks.example/more"},
        **{
            ("POST", f"/releases/{{number}}/{action}"): REASON
            for action in ("approve", "reject", "withdraw", "released", "retire", "rollback", "canary/end")
        },
    }


FORMS = {
    "/releases/<int:number>/withdraw/": {"comment": ""},
    "/releases/<int:number>/released/": {"comment": ""},
}


def _share(world: World) -> None:
    for service in Service.objects.filter(admins=world.owner):
        service.admins.add(*world.holders("service admin"))


PART = Part(share=_share, prepare=_prepare, names=_names, bodies=_bodies, forms=FORMS)
