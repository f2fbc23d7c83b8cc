from __future__ import annotations

from mop.areas import config


class AdvisoriesConfig(config.AreaConfig):
    name = "mop.advisories"
    verbose_name = "advisories"
