"""What is recorded of tasks, taxonomies and instance types."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    TASK_CREATED = "task.created"
    TASK_CHANGED = "task.changed"
    TAXONOMY_CREATED = "taxonomy.created"
    TAXONOMY_CHANGED = "taxonomy.changed"
    INSTANCE_TYPE_CREATED = "instance_type.created"
    INSTANCE_TYPE_OFFERED = "instance_type.offered"
    INSTANCE_TYPE_RETIRED = "instance_type.retired"
