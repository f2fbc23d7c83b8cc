"""Evaluation as an area."""

from __future__ import annotations

from mop.areas.area import Area, ArtifactColumn
from mop.areas.references import Ref, Setting
from mop.areas.work import TypeQueue, Workflow
from mop.evaluation.actions import Action
from mop.evaluation.kinds import Kind

# beside the queue of the instance type: a version that waits for its verification goes first
EVALUATIONS = TypeQueue("evaluations", Setting("MOP_EVALUATION_CONCURRENCY"))
RUN = Workflow("evaluation.run", Ref("mop.evaluation.workflows:run"), EVALUATIONS)

AREA = Area(
    name="evaluation",
    audit_actions=Action,
    notification_kinds=Kind,
    artifacts=(
        ArtifactColumn("evaluation_evaluation", "predictions_digest"),
        ArtifactColumn("evaluation_evaluationchunk", "artifact_digest"),
    ),
)
