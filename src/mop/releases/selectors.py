"""Reads of services and gates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Max, QuerySet

from mop.catalog.models import Task
from mop.errors import NotFoundError
from mop.registry.models import Revision
from mop.releases.models import GateReport, GateVersion, Service


def services() -> QuerySet[Service]:
    """All services by name, with what a row shows."""
    return Service.objects.select_related("created_by").prefetch_related("admins").order_by("name")


def get_service(name: str) -> Service:
    """A service by name.

    Raises:
        NotFoundError: there is none.
    """
    service = services().filter(name=name).first()
    if service is None:
        raise NotFoundError(f"There is no service {name!r}.")
    return service


def gate_versions(owner: Task | Service) -> QuerySet[GateVersion]:
    """Every version of a gate, newest first."""
    wanted = {"task": owner} if isinstance(owner, Task) else {"service": owner}
    return GateVersion.objects.filter(**wanted).order_by("-number")


def current_gate(owner: Task | Service) -> GateVersion | None:
    """The conditions that hold; None where there never were any."""
    return gate_versions(owner).first()


def current_task_gates(tasks: Iterable[int]) -> Mapping[int, GateVersion]:
    """The conditions that hold for each of these tasks. One query."""
    newest = (
        GateVersion.objects.filter(task__in=list(tasks))
        .annotate(last=Max("task__gate_versions__number"))
        .select_related("task")
    )
    return {gate.task_id: gate for gate in newest if gate.task_id is not None and gate.number == gate.last}


def current_report(revision: Revision, service: Service | None) -> GateReport | None:
    """How the version came out when it was last judged; None where it never was."""
    return GateReport.objects.filter(revision=revision, service=service, is_current=True).first()
