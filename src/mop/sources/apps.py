from __future__ import annotations

from mop.areas import config


class SourcesConfig(config.AreaConfig):
    name = "mop.sources"
