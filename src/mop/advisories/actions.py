"""What is recorded of advisories."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    IMPORTED = "advisories.imported"
