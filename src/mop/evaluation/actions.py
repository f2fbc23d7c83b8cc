"""What is recorded of evaluations."""

from __future__ import annotations

from mop.areas.words import AuditAction


class Action(AuditAction):
    """Actions of this area."""

    STATE = "evaluation.state"
    STALE = "evaluation.stale"
    PUBLISHED = "evaluation.published"
    WITHDRAWN = "evaluation.withdrawn"
    VERIFICATION_STATE = "evaluation.verification_state"
    HEADLINE_CHOSEN = "task.headline_dataset_chosen"
