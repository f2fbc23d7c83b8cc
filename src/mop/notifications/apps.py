from __future__ import annotations

from mop.areas import config


class NotificationsConfig(config.AreaConfig):
    name = "mop.notifications"
