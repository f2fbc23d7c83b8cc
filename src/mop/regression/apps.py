from __future__ import annotations

from mop.areas import config


class RegressionConfig(config.AreaConfig):
    name = "mop.regression"
