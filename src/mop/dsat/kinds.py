"""What people are told of DSAT cases."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    ASSIGNED = "dsatAssigned", "DSAT case assigned", "A DSAT case is assigned to me", "warn"
    FIXED = "dsatFixed", "DSAT case fixed", "A DSAT case that I added is fixed", "ok"
    REOPENED = "dsatReopened", "DSAT case reopened", "A DSAT case that I work on is reopened", "warn"
