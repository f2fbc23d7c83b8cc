"""What is recorded of alerts and webhooks."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    ALERT_CLOSED = "alert.closed"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_ROTATED = "webhook.secret_rotated"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_ENABLED = "webhook.enabled"
    WEBHOOK_REPLAYED = "webhook.delivery_replayed"
    WEBHOOK_DELETED = "webhook.deleted"
