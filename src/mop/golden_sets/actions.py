"""What is recorded of golden sets. No record holds anything of a row."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    SUPPLIED = "golden_set.supplied"
    DELETED = "golden_set.deleted"
    ROWS_READ = "golden_set.rows_read"
    RUN_STATE = "golden_set.run_state"
