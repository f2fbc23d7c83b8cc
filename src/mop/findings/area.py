"""Findings and waivers as an area."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.areas.work import Schedule
from mop.findings.actions import Action
from mop.findings.kinds import Kind
from mop.findings.names import MATCHING

MATCHING_SECONDS = 300.0

AREA = Area(
    name="findings",
    routers=(Ref("mop.findings.api:router"),),
    urls=(Urls("mop.findings.urls"),),
    permissions=Ref("mop.findings.permissions:PERMISSIONS"),
    portal_extensions=(
        PortalExtension(ExtensionPoint.REVISION_SECTIONS, Ref("mop.findings.portal_extensions:scan_of_revision")),
    ),
    work_on_revisions=(Ref("mop.findings.selectors:revisions_scanned_again"),),
    jobs=(Ref("mop.findings.rescans:RESCAN_JOB"),),
    schedules=(Schedule(MATCHING, MATCHING_SECONDS, Ref("mop.findings.reassessment:reassess")),),
    audit_actions=Action,
    notification_kinds=Kind,
    commands=(
        Commands(Ref("mop.cli.scan:app"), order=20),
        Commands(Ref("mop_client.cli.model_findings:app"), order=60, group="model"),
        Commands(Ref("mop_client.cli.model_waivers:app"), order=60, group="model"),
    ),
)
