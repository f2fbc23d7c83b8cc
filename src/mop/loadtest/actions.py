"""What is recorded of load tests."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    STATE = "loadtest.state"
