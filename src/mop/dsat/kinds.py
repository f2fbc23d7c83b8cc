"""What people are told of DSAT cases."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    ASSIGNED = "dsatAssigned", "A DSAT case is assigned to me", "warn"
    FIXED = "dsatFixed", "A DSAT case that I added is fixed", "ok"
    REOPENED = "dsatReopened", "A DSAT case that I work on is reopened", "warn"
