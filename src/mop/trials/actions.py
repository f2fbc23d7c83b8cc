"""What is recorded of tries: that somebody tried, never what."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    STATE = "trial.state"
