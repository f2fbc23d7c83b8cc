"""What is recorded of tasks, taxonomies and instance types."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    TASK_CREATED = "task.created"
    TAXONOMY_CREATED = "taxonomy.created"
    INSTANCE_TYPE_CREATED = "instance_type.created"
