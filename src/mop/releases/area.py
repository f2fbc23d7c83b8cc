"""Releases as an area: downstream services, and the gates of tasks and services."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.navigation import NavEntry
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.areas.work import Schedule
from mop.releases.actions import Action

JUDGE_SECONDS = 60.0

AREA = Area(
    name="releases",
    routers=(Ref("mop.releases.api:router"),),
    urls=(Urls("mop.releases.urls"),),
    permissions=Ref("mop.releases.permissions:PERMISSIONS"),
    navigation=(NavEntry("Services", "releases", "releases:services", order=50, also=("/add-service/",)),),
    portal_extensions=(
        PortalExtension(ExtensionPoint.TASK_SECTIONS, Ref("mop.releases.portal_extensions:gate_of_task")),
        PortalExtension(ExtensionPoint.REVISION_CARDS, Ref("mop.releases.portal_extensions:gates_of_revision")),
    ),
    schedules=(Schedule("releases.judge", JUDGE_SECONDS, Ref("mop.releases.judging:judge_changed")),),
    audit_actions=Action,
    commands=(
        Commands(Ref("mop.cli.gate:app"), order=76),
        Commands(Ref("mop.cli.service:app"), order=77),
        Commands(Ref("mop.cli.service:of_task"), order=78, group="task"),
    ),
)
