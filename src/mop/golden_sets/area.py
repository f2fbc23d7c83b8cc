"""Golden sets as an area."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref, Setting
from mop.areas.work import Schedule, Stage, StagePosition, Workflow
from mop.evaluation.area import EVALUATIONS, STALE_SECONDS
from mop.golden_sets.actions import Action
from mop.golden_sets.kinds import Kind

# on the queue of evaluations: a worker asks about hidden content for one run at a time, whatever it is for
RUN = Workflow("golden_sets.run", Ref("mop.golden_sets.workflows:run"), EVALUATIONS)

AREA = Area(
    name="golden_sets",
    routers=(Ref("mop.golden_sets.api:router"),),
    urls=(Urls("mop.golden_sets.urls"),),
    permissions=Ref("mop.golden_sets.permissions:PERMISSIONS"),
    portal_extensions=(
        PortalExtension(ExtensionPoint.TASK_SECTIONS, Ref("mop.golden_sets.portal_extensions:golden_sets_of_task")),
        PortalExtension(ExtensionPoint.REVISION_SECTIONS, Ref("mop.golden_sets.portal_extensions:results_of_revision")),
    ),
    workflows=(RUN,),
    jobs=(Ref("mop.golden_sets.services:GOLDEN_JOB"),),
    schedules=(
        Schedule("golden_sets.start", Setting("MOP_EVALUATION_START_SECONDS"), Ref("mop.golden_sets.services:keep_up")),
        Schedule("golden_sets.stale", STALE_SECONDS, Ref("mop.golden_sets.services:renew_stale")),
        Schedule("golden_sets.retry", STALE_SECONDS, Ref("mop.golden_sets.services:try_again")),
    ),
    stages=(
        Stage(
            name="golden-sets",
            position=StagePosition.GOLDEN_SETS,
            workflow=RUN,
            applies=Ref("mop.golden_sets.services:is_wanted"),
            begin=Ref("mop.golden_sets.services:begin"),
            step="pipeline.golden_sets",
            unfinished=Ref("mop.golden_sets.selectors:unfinished_revisions"),
        ),
    ),
    audit_actions=Action,
    notification_kinds=Kind,
    commands=(Commands(Ref("mop_client.cli.golden_set:app"), order=47),),
)
