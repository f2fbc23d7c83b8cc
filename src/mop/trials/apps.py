from __future__ import annotations

from mop.areas import config


class TrialsConfig(config.AreaConfig):
    name = "mop.trials"
