from __future__ import annotations

from mop.areas import config


class LoadTestConfig(config.AreaConfig):
    name = "mop.loadtest"
    label = "loadtest"
