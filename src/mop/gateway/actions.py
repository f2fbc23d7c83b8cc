"""What is recorded of gateways."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    KEY_ROTATED = "gateway.key_rotated"
    CONTAINER_ADDED = "gateway.container_added"
    CONTAINER_REMOVED = "gateway.container_removed"
    BLOCKLIST_CHANGED = "gateway.blocklist_changed"
    BLOCKLIST_DELETED = "gateway.blocklist_deleted"
