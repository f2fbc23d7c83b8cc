"""What people are told of findings."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    FINDINGS = "findings", "new findings", "A scan finds something new in a version of my models", "warn"
