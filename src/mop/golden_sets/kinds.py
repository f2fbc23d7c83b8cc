"""What people are told of golden sets."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    PASSED = "goldenSetPassed", "golden set passed", "A version of my models passed a golden set", "ok"
    FAILED = (
        "goldenSetFailed",
        "golden set failed",
        "A version of my models failed rows of a golden set, or could not be run on it",
        "bad",
    )
