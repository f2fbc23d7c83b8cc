"""Contract runs as an area: tasks and samples of versions that are verified already."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref, Setting
from mop.areas.work import Stage, StagePosition, TypeQueue, Workflow
from mop.contract_runs.actions import Action

# on the queue of the instance type itself: a contract run needs the same room as an onboarding
QUEUES = TypeQueue("", Setting("MOP_WORKER_CONCURRENCY"))
RUN = Workflow("contract_runs.run", Ref("mop.contract_runs.workflows:run"), QUEUES)

AREA = Area(
    name="contract_runs",
    routers=(Ref("mop.contract_runs.api:router"),),
    urls=(Urls("mop.contract_runs.urls"),),
    permissions=Ref("mop.contract_runs.permissions:PERMISSIONS"),
    portal_extensions=(
        PortalExtension(ExtensionPoint.HOME, Ref("mop.contract_runs.home:contract_runs")),
        PortalExtension(ExtensionPoint.MODEL_SECTIONS, Ref("mop.contract_runs.portal_extensions:connected_tasks")),
        PortalExtension(ExtensionPoint.REVISION_SECTIONS, Ref("mop.contract_runs.portal_extensions:contract_section")),
    ),
    workflows=(RUN,),
    jobs=(Ref("mop.contract_runs.services:CONTRACT_RUN_JOB"),),
    stages=(
        Stage(
            name="contract-runs",
            position=StagePosition.CONTRACT_RUNS,
            workflow=RUN,
            applies=Ref("mop.contract_runs.services:lacks_a_proof"),
            begin=Ref("mop.contract_runs.stage:begin"),
            step="pipeline.contract_runs",
        ),
    ),
    audit_actions=Action,
    commands=(Commands(Ref("mop_client.cli.model_tasks:app"), order=52, group="model"),),
)
