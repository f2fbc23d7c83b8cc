from __future__ import annotations

from mop.areas import config


class ApiConfig(config.AreaConfig):
    name = "mop.api"
