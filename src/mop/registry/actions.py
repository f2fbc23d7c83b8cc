"""What is recorded of models and revisions."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    MODEL_CREATED = "model.created"
    MODEL_DELETED = "model.deleted"
    MODEL_DESCRIPTION_CHANGED = "model.description_changed"
    MODEL_OWNER_ADDED = "model.owner_added"
    MODEL_OWNER_REMOVED = "model.owner_removed"
    REVISION_CREATED = "revision.created"
    REVISION_DELETED = "revision.deleted"
    REVISION_STATUS = "revision.status"
    REVISION_NOTE_CHANGED = "revision.note_changed"
    REVISION_ALLOWED_HOSTS_CHANGED = "revision.allowed_hosts_changed"
