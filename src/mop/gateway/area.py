"""The gateway as an area: what serves the releases of a service, and what its admins set."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.areas.work import Schedule
from mop.gateway.actions import Action

FORGET_SECONDS = 3600.0

AREA = Area(
    name="gateway",
    routers=(Ref("mop.gateway.api:router"),),
    urls=(Urls("mop.gateway.urls"),),
    portal_extensions=(
        PortalExtension(ExtensionPoint.SERVICE_SECTIONS, Ref("mop.gateway.portal_extensions:gateway_of_service")),
    ),
    permissions=Ref("mop.gateway.permissions:PERMISSIONS"),
    schedules=(Schedule("gateway.forget", FORGET_SECONDS, Ref("mop.gateway.services:forget_answers")),),
    audit_actions=Action,
    commands=(
        Commands(Ref("mop.cli.serve_release:app"), order=79),
        Commands(Ref("mop_client.cli.gateway:app"), order=79),
    ),
)
