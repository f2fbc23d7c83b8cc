"""DSAT cases as an area."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.navigation import NavEntry
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.areas.work import Queue, Schedule, Workflow
from mop.dsat.actions import Action
from mop.dsat.kinds import Kind

IMPORT_FILE = Workflow("dsat.import", Ref("mop.dsat.workflows:import_file"), Queue("dsat", 1))
DAY = 86_400.0

AREA = Area(
    name="dsat",
    routers=(Ref("mop.dsat.api:router"), Ref("mop.dsat.imports_api:router")),
    urls=(Urls("mop.dsat.urls"),),
    permissions=Ref("mop.dsat.permissions:PERMISSIONS"),
    navigation=(NavEntry("DSAT", "dsat", "dsat:cases", order=60, also=("/add-dsat/", "/dsat-imports/")),),
    portal_extensions=(
        PortalExtension(ExtensionPoint.HOME, Ref("mop.dsat.portal_extensions:home")),
        PortalExtension(ExtensionPoint.TASK_SECTIONS, Ref("mop.dsat.portal_extensions:task_cases")),
    ),
    searches=(Ref("mop.dsat.search:CASES"),),
    workflows=(IMPORT_FILE,),
    jobs=(Ref("mop.dsat.importing:IMPORT_JOB"),),
    schedules=(Schedule("dsat.expire", DAY, Ref("mop.dsat.retention:expire")),),
    belongings=(Ref("mop.dsat.belongings:cases_of"),),
    audit_actions=Action,
    notification_kinds=Kind,
    commands=(Commands(Ref("mop_client.cli.dsat:app"), order=72),),
)
