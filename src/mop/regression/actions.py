"""What is recorded of regression tests. No record holds anything of a case."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    RUN_STATE = "regression.state"
