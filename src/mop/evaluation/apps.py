from __future__ import annotations

from mop.areas import config


class EvaluationConfig(config.AreaConfig):
    name = "mop.evaluation"
