from __future__ import annotations

from django.apps import AppConfig

from mop.engine.names import declare


class PipelineConfig(AppConfig):
    name = "mop.pipeline"

    def ready(self) -> None:
        """Let the areas below start the pipeline by its name."""
        from mop.registry.start import PIPELINE_WORKFLOW  # noqa: PLC0415 - models load after the app registry

        declare(PIPELINE_WORKFLOW)
