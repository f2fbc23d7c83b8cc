"""Try it as an area."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.areas.work import Schedule, TypeQueue, Workflow
from mop.trials.actions import Action

# beside the other work of a host: people wait in front of it
QUEUES = TypeQueue("trials", 2)
RUN = Workflow("trials.run", Ref("mop.trials.workflows:run"), QUEUES)

AREA = Area(
    name="trials",
    routers=(Ref("mop.trials.api:router"),),
    urls=(Urls("mop.trials.urls"),),
    permissions=Ref("mop.trials.permissions:PERMISSIONS"),
    portal_extensions=(
        PortalExtension(ExtensionPoint.REVISION_SECTIONS, Ref("mop.trials.portal_extensions:try_section")),
    ),
    workflows=(RUN,),
    jobs=(Ref("mop.trials.services:TRIAL_JOB"),),
    schedules=(Schedule("trials.forget", 300.0, Ref("mop.trials.services:forget")),),
    audit_actions=Action,
    commands=(Commands(Ref("mop_client.cli.model_try:app"), order=54, group="model"),),
)
