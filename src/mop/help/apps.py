from __future__ import annotations

from mop.areas import config


class HelpConfig(config.AreaConfig):
    name = "mop.help"
