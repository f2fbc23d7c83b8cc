"""What is recorded of source prefixes."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    PREFIX_ADDED = "source_prefix.added"
    PREFIX_REMOVED = "source_prefix.removed"
