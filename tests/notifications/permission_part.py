"""A notification and an alert in the world of the permission tests."""

from __future__ import annotations

from mop.areas.permissions import Row
from mop.errors import DiskFullError
from mop.notifications.alerts import raise_alert
from mop.notifications.models import Alert, Notification
from mop.notifications.services import News, notify
from mop.registry.kinds import Kind
from support.factories import ACTOR
from support.permission_world import Part, World

EVENT = "matrix"


def _prepare(world: World) -> None:
    notify(actor=ACTOR, people=[world.owner], news=News(Kind.OWNERSHIP, EVENT, "title", "reason", "/models/"))
    raise_alert(actor=ACTOR, fault=DiskFullError("no room"))


def _names(world: World, _row: Row) -> dict[str, object]:
    return {
        "notification_id": Notification.objects.get(recipient=world.owner, event=EVENT).pk,
        "alert_id": Alert.objects.get().pk,
    }


PART = Part(prepare=_prepare, names=_names, bodies=lambda _world, _row: {("POST", "/notifications/read"): {"up_to": 0}})
