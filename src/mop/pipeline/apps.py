from __future__ import annotations

from mop.areas import config


class PipelineConfig(config.AreaConfig):
    name = "mop.pipeline"
