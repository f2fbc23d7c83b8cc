"""Regression tests as an area."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref, Setting
from mop.areas.work import Schedule, Stage, StagePosition, Workflow
from mop.evaluation.area import EVALUATIONS, STALE_SECONDS
from mop.regression.actions import Action
from mop.regression.kinds import Kind

# on the queue of evaluations: a worker asks about hidden content for one run at a time, whatever it is for
RUN = Workflow("regression.run", Ref("mop.regression.workflows:run"), EVALUATIONS)

AREA = Area(
    name="regression",
    routers=(Ref("mop.regression.api:router"),),
    urls=(Urls("mop.regression.urls"),),
    permissions=Ref("mop.regression.permissions:PERMISSIONS"),
    portal_extensions=(
        PortalExtension(ExtensionPoint.MODEL_TABS, Ref("mop.regression.portal_extensions:TAB")),
        PortalExtension(ExtensionPoint.DSAT_CASE_SECTIONS, Ref("mop.regression.portal_extensions:outcomes_of_case")),
        PortalExtension(ExtensionPoint.REVISION_COLUMNS, Ref("mop.regression.portal_extensions:COLUMN")),
    ),
    workflows=(RUN,),
    jobs=(Ref("mop.regression.services:REGRESSION_JOB"),),
    schedules=(
        Schedule("regression.start", Setting("MOP_EVALUATION_START_SECONDS"), Ref("mop.regression.services:keep_up")),
        Schedule("regression.renew", Setting("MOP_REGRESSION_SECONDS"), Ref("mop.regression.services:renew_stale")),
        Schedule("regression.retry", STALE_SECONDS, Ref("mop.regression.services:try_again")),
    ),
    stages=(
        Stage(
            name="regression",
            position=StagePosition.REGRESSION,
            workflow=RUN,
            applies=Ref("mop.regression.services:is_wanted"),
            begin=Ref("mop.regression.services:begin"),
            step="pipeline.regression",
            unfinished=Ref("mop.regression.selectors:unfinished_revisions"),
        ),
    ),
    connection_changes=(Ref("mop.regression.services:count_connected"),),
    audit_actions=Action,
    notification_kinds=Kind,
    commands=(Commands(Ref("mop_client.cli.regression:app"), order=48),),
)
