from __future__ import annotations

from mop.areas import config


class GreetingsConfig(config.AreaConfig):
    name = "areas.greetings"
