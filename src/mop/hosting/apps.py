from __future__ import annotations

from mop.areas import config


class HostingConfig(config.AreaConfig):
    name = "mop.hosting"
