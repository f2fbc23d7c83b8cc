"""Onboarding as an area: the first stage of the pipeline, and later scans of what it made."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref, Setting
from mop.areas.work import Queue, Stage, StagePosition, TypeQueue, Workflow
from mop.findings.names import RESCAN_WORKFLOW, SCANS_QUEUE

ONBOARD = Workflow(
    "onboarding.run",
    Ref("mop.onboarding.workflows:onboard"),
    TypeQueue("", Setting("MOP_WORKER_CONCURRENCY")),
)
RESCAN = Workflow(RESCAN_WORKFLOW, Ref("mop.onboarding.rescans:rescan"), Queue(SCANS_QUEUE, 1))

AREA = Area(
    name="onboarding",
    routers=(Ref("mop.onboarding.api:router"),),
    urls=(Urls("mop.onboarding.urls"),),
    permissions=Ref("mop.onboarding.permissions:PERMISSIONS"),
    portal_extensions=(
        PortalExtension(ExtensionPoint.REVISION_CARDS, Ref("mop.onboarding.portal_extensions:log_card")),
    ),
    workflows=(ONBOARD, RESCAN),
    stages=(
        Stage(
            name="onboard",
            position=StagePosition.ONBOARDING,
            workflow=ONBOARD,
            applies=Ref("mop.onboarding.turns:is_unfinished"),
            begin=Ref("mop.onboarding.turns:turn_of"),
            step="pipeline.turn",
        ),
    ),
    commands=(
        Commands(Ref("mop.cli.check:app"), order=10),
        Commands(Ref("mop.cli.run:app"), order=30),
    ),
)
