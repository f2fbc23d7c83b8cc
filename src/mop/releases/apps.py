from __future__ import annotations

from mop.areas import config


class ReleasesConfig(config.AreaConfig):
    name = "mop.releases"
