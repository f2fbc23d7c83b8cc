"""Notifications as an area."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.navigation import NavEntry, NavGroup
from mop.areas.portal_extensions import ExtensionPoint, PortalExtension
from mop.areas.references import Ref
from mop.areas.work import Schedule
from mop.notifications.actions import Action
from mop.notifications.kinds import Kind

OUTBOX_SECONDS = 5.0
WEBHOOK_SECONDS = 2.0
TOKEN_SECONDS = 3600.0
FORGET_SECONDS = 24 * 3600.0

AREA = Area(
    name="notifications",
    routers=(Ref("mop.notifications.api:router"), Ref("mop.notifications.webhook_api:router")),
    urls=(Urls("mop.notifications.urls"),),
    permissions=Ref("mop.notifications.permissions:PERMISSIONS"),
    navigation=(
        NavEntry("Notification settings", "bell", "notifications:preferences", order=5, group=NavGroup.ACCOUNT),
        NavEntry("Webhooks", "share", "notifications:webhooks", order=7, group=NavGroup.ACCOUNT),
    ),
    portal_extensions=(PortalExtension(ExtensionPoint.HEADER, Ref("mop.notifications.bell:bell")),),
    schedules=(
        Schedule("notifications.outbox", OUTBOX_SECONDS, Ref("mop.notifications.outbox:deliver_due")),
        Schedule("notifications.webhooks", WEBHOOK_SECONDS, Ref("mop.notifications.webhook_outbox:deliver_due")),
        Schedule("notifications.tokens", TOKEN_SECONDS, Ref("mop.notifications.token_endings:tell_endings")),
        Schedule("notifications.forget", FORGET_SECONDS, Ref("mop.notifications.webhook_outbox:forget_old")),
    ),
    departures=(Ref("mop.notifications.webhooks:end_webhooks_of"),),
    audit_actions=Action,
    notification_kinds=Kind,
    commands=(
        Commands(Ref("mop_client.cli.notification:app"), order=70),
        Commands(Ref("mop_client.cli.alert:app"), order=106),
        Commands(Ref("mop_client.cli.webhook:app"), order=72),
    ),
)
