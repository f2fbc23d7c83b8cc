"""What is recorded of alerts."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    ALERT_CLOSED = "alert.closed"
