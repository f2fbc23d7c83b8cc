"""Evaluation as an area."""

from __future__ import annotations

from mop.areas.area import Area, ArtifactColumn, Commands, Urls
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref, Setting
from mop.areas.work import Schedule, Stage, StagePosition, TypeQueue, Workflow
from mop.evaluation.actions import Action
from mop.evaluation.kinds import Kind

# beside the queue of the instance type: a version that waits for its verification goes first
EVALUATIONS = TypeQueue("evaluations", Setting("MOP_EVALUATION_CONCURRENCY"))
RUN = Workflow("evaluation.run", Ref("mop.evaluation.workflows:run"), EVALUATIONS)
VERIFY = Workflow("evaluation.verify", Ref("mop.evaluation.verification_workflow:run"), EVALUATIONS)

STALE_SECONDS = 60.0
COMPARE_SECONDS = 60.0

AREA = Area(
    name="evaluation",
    routers=(Ref("mop.evaluation.api:router"),),
    urls=(Urls("mop.evaluation.urls"),),
    permissions=Ref("mop.evaluation.permissions:PERMISSIONS"),
    portal_extensions=(
        PortalExtension(ExtensionPoint.HOME, Ref("mop.evaluation.home:evaluated")),
        PortalExtension(ExtensionPoint.MODEL_TABS, Ref("mop.evaluation.portal_extensions:RESULTS_TAB")),
        PortalExtension(ExtensionPoint.MODEL_TABS, Ref("mop.evaluation.portal_extensions:RANK_TAB")),
        PortalExtension(ExtensionPoint.MODEL_COLUMNS, Ref("mop.evaluation.portal_extensions:LIST_COLUMN")),
        PortalExtension(ExtensionPoint.REVISION_COLUMNS, Ref("mop.evaluation.portal_extensions:COLUMN")),
        PortalExtension(
            ExtensionPoint.TASK_SECTIONS, Ref("mop.evaluation.portal_extensions:task_leaderboard"), order=-1
        ),
        PortalExtension(ExtensionPoint.DATASET_SECTIONS, Ref("mop.evaluation.portal_extensions:dataset_results")),
    ),
    workflows=(RUN, VERIFY),
    jobs=(Ref("mop.evaluation.services:EVALUATION_JOB"), Ref("mop.evaluation.verifications:VERIFICATION_JOB")),
    schedules=(
        Schedule("evaluation.start", Setting("MOP_EVALUATION_START_SECONDS"), Ref("mop.evaluation.services:keep_up")),
        Schedule("evaluation.stale", STALE_SECONDS, Ref("mop.evaluation.services:renew_stale")),
        Schedule("evaluation.compare", COMPARE_SECONDS, Ref("mop.evaluation.comparisons:compare_new")),
    ),
    stages=(
        Stage(
            name="evaluation",
            position=StagePosition.EVALUATION,
            workflow=RUN,
            applies=Ref("mop.evaluation.services:is_wanted"),
            begin=Ref("mop.evaluation.stage:begin"),
            step="pipeline.evaluation",
            unfinished=Ref("mop.evaluation.wanted:unfinished_revisions"),
        ),
    ),
    commands=(
        Commands(Ref("mop_client.cli.evaluation:app"), order=45),
        Commands(Ref("mop_client.cli.evaluation_changes:app"), order=46, group="evaluation"),
        Commands(Ref("mop.cli.evaluation_verify:app"), order=46, group="evaluation"),
        Commands(Ref("mop_client.cli.task_results:app"), order=77, group="task"),
    ),
    audit_actions=Action,
    notification_kinds=Kind,
    artifacts=(
        ArtifactColumn("evaluation_evaluation", "predictions_digest"),
        ArtifactColumn("evaluation_evaluationchunk", "artifact_digest"),
    ),
)
