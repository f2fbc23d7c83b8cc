"""Load tests as an area."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.areas.work import Stage, StagePosition, TypeQueue, Workflow
from mop.loadtest.actions import Action
from mop.loadtest.kinds import Kind

# beside a host's other work, one at a time: they would measure each other
LOAD_TESTS = TypeQueue("load-tests", 1)
RUN = Workflow("loadtest.run", Ref("mop.loadtest.workflows:run"), LOAD_TESTS)

AREA = Area(
    name="loadtest",
    routers=(Ref("mop.loadtest.api:router"),),
    urls=(Urls("mop.loadtest.urls"),),
    permissions=Ref("mop.loadtest.permissions:PERMISSIONS"),
    portal_extensions=(
        PortalExtension(ExtensionPoint.HOME, Ref("mop.loadtest.home:load_tests")),
        PortalExtension(ExtensionPoint.REVISION_COLUMNS, Ref("mop.loadtest.portal_extensions:COLUMN")),
        PortalExtension(ExtensionPoint.REVISION_SECTIONS, Ref("mop.loadtest.portal_extensions:result_section")),
        PortalExtension(ExtensionPoint.MODEL_PANELS, Ref("mop.loadtest.portal_extensions:PANEL")),
    ),
    workflows=(RUN,),
    jobs=(Ref("mop.loadtest.services:LOAD_TEST_JOB"),),
    stages=(
        Stage(
            name="load-test",
            position=StagePosition.LOAD_TEST,
            workflow=RUN,
            applies=Ref("mop.loadtest.services:is_wanted_after_onboarding"),
            begin=Ref("mop.loadtest.stage:begin"),
            step="pipeline.load_test",
            unfinished=Ref("mop.loadtest.selectors:unfinished_revisions"),
        ),
    ),
    team_quotas=(Ref("mop.loadtest.quotas:LOAD_TESTS"),),
    audit_actions=Action,
    notification_kinds=Kind,
    commands=(
        Commands(Ref("mop.cli.load_test:app"), order=40),
        Commands(Ref("mop_client.cli.model_load_test:app"), order=54, group="model"),
    ),
)
