"""The pipeline as an area: the work that the registry starts by name, and runs the other areas' stages."""

from __future__ import annotations

from mop.areas.area import Area
from mop.areas.references import Ref
from mop.areas.work import Queue, Workflow
from mop.registry.names import PIPELINE_QUEUE, PIPELINE_WORKFLOW

# a pipeline waits for its children most of the time
PIPELINES_AT_ONCE = 200

AREA = Area(
    name="pipeline",
    workflows=(
        Workflow(PIPELINE_WORKFLOW, Ref("mop.pipeline.workflows:run"), Queue(PIPELINE_QUEUE, PIPELINES_AT_ONCE)),
    ),
)
