"""What is recorded of alerts."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    ALERT_CLOSED = "alert.closed"
