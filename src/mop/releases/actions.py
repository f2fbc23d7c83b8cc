"""What is recorded of services and gates."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    SERVICE_CREATED = "service.created"
    SERVICE_CHANGED = "service.changed"
    TASK_GATE_CHANGED = "task.gate_changed"
    SERVICE_GATE_CHANGED = "service.gate_changed"
