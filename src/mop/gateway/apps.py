from __future__ import annotations

from mop.areas import config


class GatewayConfig(config.AreaConfig):
    name = "mop.gateway"
