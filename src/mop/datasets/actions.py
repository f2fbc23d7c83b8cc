"""What is recorded of datasets. No record holds anything that stands in a file, but headers that the form names."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    DATASET_ADDED = "dataset.created"
    DATASET_STATUS = "dataset.status"
    DATASET_DESCRIPTION_CHANGED = "dataset.description_changed"
    DATASET_TASKS_CHANGED = "dataset.tasks_changed"
    DATASET_OWNER_ADDED = "dataset.owner_added"
    DATASET_OWNER_REMOVED = "dataset.owner_removed"
    DATASET_HANDED_OVER = "dataset.handed_over"
    DATASET_DELETED = "dataset.deleted"
    BINDING_APPROVED = "binding.approved"
    BINDING_REJECTED = "binding.rejected"
