from __future__ import annotations

from mop.areas import config


class InsightsConfig(config.AreaConfig):
    name = "mop.insights"
