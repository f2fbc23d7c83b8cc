from __future__ import annotations

from mop.areas import config


class GoldenSetsConfig(config.AreaConfig):
    name = "mop.golden_sets"
