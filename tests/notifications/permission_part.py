"""A notification and an alert in the world of the permission tests."""

from __future__ import annotations

from typing import Any

from mop.accounts.sealing import seal
from mop.areas.permissions import Row
from mop.errors import DiskFullError
from mop.notifications.alerts import raise_alert
from mop.notifications.models import Alert, Delivery, Notification, Webhook
from mop.notifications.services import News, notify
from mop.notifications.webhook_signing import PURPOSE, new_secret
from mop.notifications.webhook_states import DeliveryState
from mop.registry.kinds import Kind
from support.factories import ACTOR
from support.permission_world import Part, World

EVENT = "matrix"
ALLOWED = "https://hooks.example/"


def _prepare(world: World) -> None:
    notify(actor=ACTOR, people=[world.owner], news=News(Kind.OWNERSHIP, EVENT, "title", "reason", "/models/"))
    webhook = Webhook.objects.create(user=world.owner, url=ALLOWED, secret=seal(new_secret(), purpose=PURPOSE))
    Delivery.objects.create(webhook=webhook, event=EVENT, kind="test", body="{}", state=DeliveryState.DELIVERED)
    raise_alert(actor=ACTOR, fault=DiskFullError("no room"))


def _names(world: World, _row: Row) -> dict[str, object]:
    return {
        "notification_id": Notification.objects.get(recipient=world.owner, event=EVENT).pk,
        "alert_id": Alert.objects.get().pk,
        "webhook_id": Webhook.objects.get(owner_type="").pk,
        "delivery_id": Delivery.objects.get(event=EVENT).pk,
    }


def _bodies(_world: World, _row: Row) -> dict[tuple[str, str], Any]:
    return {
        ("POST", "/notifications/read"): {"up_to": 0},
        ("PATCH", "/notifications/settings"): {},
        ("POST", "/webhooks"): {"url": ALLOWED},
        ("PATCH", "/webhooks/{webhook_id}"): {"description": "another"},
    }


PART = Part(prepare=_prepare, names=_names, bodies=_bodies)
