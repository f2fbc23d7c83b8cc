"""What is recorded of load tests."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    STATE = "loadtest.state"
