"""Evaluation as an area."""

from __future__ import annotations

from mop.areas.area import Area, ArtifactColumn
from mop.areas.references import Ref, Setting
from mop.areas.work import Schedule, Stage, StagePosition, TypeQueue, Workflow
from mop.evaluation.actions import Action
from mop.evaluation.kinds import Kind

# beside the queue of the instance type: a version that waits for its verification goes first
EVALUATIONS = TypeQueue("evaluations", Setting("MOP_EVALUATION_CONCURRENCY"))
RUN = Workflow("evaluation.run", Ref("mop.evaluation.workflows:run"), EVALUATIONS)

STALE_SECONDS = 60.0

AREA = Area(
    name="evaluation",
    workflows=(RUN,),
    jobs=(Ref("mop.evaluation.services:EVALUATION_JOB"),),
    schedules=(
        Schedule("evaluation.start", Setting("MOP_EVALUATION_START_SECONDS"), Ref("mop.evaluation.services:keep_up")),
        Schedule("evaluation.stale", STALE_SECONDS, Ref("mop.evaluation.services:renew_stale")),
    ),
    stages=(
        Stage(
            name="evaluation",
            position=StagePosition.EVALUATION,
            workflow=RUN,
            applies=Ref("mop.evaluation.services:is_wanted"),
            begin=Ref("mop.evaluation.stage:begin"),
            step="pipeline.evaluation",
        ),
    ),
    audit_actions=Action,
    notification_kinds=Kind,
    artifacts=(
        ArtifactColumn("evaluation_evaluation", "predictions_digest"),
        ArtifactColumn("evaluation_evaluationchunk", "artifact_digest"),
    ),
)
