from __future__ import annotations

from mop.areas import config


class HistoryConfig(config.AreaConfig):
    name = "mop.history"
