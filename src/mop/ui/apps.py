from __future__ import annotations

from mop.areas import config


class UiConfig(config.AreaConfig):
    name = "mop.ui"
