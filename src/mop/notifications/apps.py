from __future__ import annotations

from django.apps import AppConfig

from mop.ui.extensions import HEADER_PARTS
from mop.ui.navigation import NavEntry, NavGroup, register


class NotificationsConfig(AppConfig):
    name = "mop.notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Put the bell into the header and the pages into the user menu; let the worker empty the outbox."""
        from mop.engine.schedules import register_schedule  # noqa: PLC0415 - models load after the app registry
        from mop.notifications.bell import bell  # noqa: PLC0415 - as above
        from mop.notifications.outbox import EVERY_SECONDS, deliver_due  # noqa: PLC0415 - as above

        HEADER_PARTS.register(bell)
        register(
            NavEntry("Notification settings", "bell", "notifications:preferences", order=5, group=NavGroup.ACCOUNT)
        )
        register_schedule("notifications.outbox", EVERY_SECONDS, deliver_due)
