"""API of downstream services and gates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from mop.accounts.access import caller_of
from mop.accounts.models import User
from mop.accounts.references import named_in
from mop.accounts.rules import authorise
from mop.accounts.selectors import get_people
from mop.catalog.selectors import get_task
from mop.registry.selectors import get_revision
from mop.releases.judging import gate_document
from mop.releases.models import Policy, Service, ServiceKind
from mop.releases.schemas import (
    ConditionsIn,
    ConditionsOut,
    GateIn,
    GateOut,
    GateReportOut,
    ServiceIn,
    ServiceOut,
    ServicePatch,
)
from mop.releases.selectors import current_gate, get_service, services
from mop.releases.services import change_gate, change_service, check_conditions, create_service

router = Router(tags=["gates"])


@router.get("/services", response=list[ServiceOut])
def list_services(request: HttpRequest) -> list[Service]:
    """Every downstream service, by name."""
    caller_of(request)
    return list(services())


@router.post("/services", response={201: ServiceOut})
def add_service(request: HttpRequest, body: ServiceIn) -> Status[Service]:
    """Define a downstream service. Administrators only."""
    caller = caller_of(request)
    authorise(caller.user, "releases.create_service", what="define downstream services")
    created = create_service(
        actor=caller.actor,
        user=caller.user,
        name=body.name,
        kind=ServiceKind(body.kind),
        description=body.description,
        contact=body.contact,
        policy=Policy(body.policy),
        admins=_people(body.admins),
    )
    return Status(201, get_service(created.name))


@router.get("/services/{service}", response=ServiceOut)
def get_one_service(request: HttpRequest, service: str) -> Service:
    """One downstream service."""
    caller_of(request)
    return get_service(service)


@router.patch("/services/{service}", response=ServiceOut)
def patch_service(request: HttpRequest, service: str, body: ServicePatch) -> Service:
    """Change a service's description, contact, policy or admins. Its admins and administrators."""
    caller = caller_of(request)
    found = get_service(service)
    authorise(caller.user, "releases.change_service", found, what="change this service")
    change_service(
        actor=caller.actor,
        service=found,
        description=body.description,
        contact=body.contact,
        policy=None if body.policy is None else Policy(body.policy),
        admins=None if body.admins is None else _people(body.admins, known=found.admins.all()),
    )
    return get_service(service)


@router.get("/services/{service}/gate", response=GateOut)
def get_service_gate(request: HttpRequest, service: str) -> GateOut:
    """The conditions of a service."""
    caller_of(request)
    return GateOut.of(current_gate(get_service(service)))


@router.put("/services/{service}/gate", response=GateOut)
def put_service_gate(request: HttpRequest, service: str, body: GateIn) -> GateOut:
    """Give a service new conditions. Its admins only."""
    caller = caller_of(request)
    found = get_service(service)
    authorise(caller.user, "releases.change_service_gate", found, what="change the conditions of this service")
    return GateOut.of(change_gate(actor=caller.actor, owner=found, conditions=body.conditions, number=body.number))


@router.get("/tasks/{path:task}/gate", response=GateOut)
def get_task_gate(request: HttpRequest, task: str) -> GateOut:
    """The conditions of a task."""
    caller_of(request)
    return GateOut.of(current_gate(get_task(task)))


@router.put("/tasks/{path:task}/gate", response=GateOut)
def put_task_gate(request: HttpRequest, task: str, body: GateIn) -> GateOut:
    """Give a task new conditions. Its owners only."""
    caller = caller_of(request)
    found = get_task(task)
    authorise(caller.user, "releases.change_task_gate", found, what="change the conditions of this task")
    return GateOut.of(change_gate(actor=caller.actor, owner=found, conditions=body.conditions, number=body.number))


@router.post("/gates/check", response=ConditionsOut)
def check_gate(request: HttpRequest, body: ConditionsIn) -> dict[str, Any]:
    """Read conditions without storing them: their canonical text, or every faulty line with its place."""
    caller_of(request)
    return {"conditions": [str(condition) for condition in check_conditions(None, body.conditions)]}


@router.get("/models/{name}/revisions/{version}/gates", response=GateReportOut)
def get_gates(request: HttpRequest, name: str, version: str, service: str | None = None) -> dict[str, Any]:
    """How a version comes out of the gates of its tasks and, if one is named, of a service, as the evidence stands."""
    user = caller_of(request).user
    revision = get_revision(user, name, version)
    found = None
    if service is not None:
        with named_in("service"):
            found = get_service(service)
    document = gate_document(revision, found)
    return {"model": name, "version": version, "service": service, **document.to_dict()}


def _people(names: list[str], *, known: Iterable[User] = ()) -> list[User]:
    with named_in("admins"):
        return get_people(names, known=known)
