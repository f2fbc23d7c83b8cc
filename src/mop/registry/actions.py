"""What is recorded of models and revisions."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    MODEL_CREATED = "model.created"
    MODEL_DELETED = "model.deleted"
    MODEL_DESCRIPTION_CHANGED = "model.description_changed"
    MODEL_CARD_TEXT_CHANGED = "model.card_text_changed"
    MODEL_TAGS_CHANGED = "model.tags_changed"
    MODEL_OWNER_ADDED = "model.owner_added"
    MODEL_OWNER_REMOVED = "model.owner_removed"
    REVISION_CREATED = "revision.created"
    REVISION_DELETED = "revision.deleted"
    REVISION_STATUS = "revision.status"
    REVISION_NOTE_CHANGED = "revision.note_changed"
    REVISION_ALLOWED_HOSTS_CHANGED = "revision.allowed_hosts_changed"
    REVISION_PUBLISHED = "revision.published"
    REVISION_UNPUBLISHED = "revision.unpublished"
    GROUP_CREATED = "group.created"
    GROUP_RENAMED = "group.renamed"
    GROUP_SHARED = "group.shared"
    GROUP_UNSHARED = "group.unshared"
    GROUP_HANDED_OVER = "group.handed_over"
    GROUP_DELETED = "group.deleted"
