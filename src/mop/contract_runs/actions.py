"""What is recorded of contract runs and of the tasks that they are about."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    STATE = "contract_run.state"
    TASK_CONNECTED = "model.task_connected"
    TASK_DISCONNECTED = "model.task_disconnected"
    SAMPLE_CHANGED = "revision.sample_changed"
