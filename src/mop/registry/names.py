"""Names of the work that this area starts and the pipeline does."""

from __future__ import annotations

PIPELINE_QUEUE = "pipeline"
PIPELINE_WORKFLOW = "pipeline.run"
