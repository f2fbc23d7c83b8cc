from __future__ import annotations

from mop.areas import config


class EngineConfig(config.AreaConfig):
    name = "mop.engine"
