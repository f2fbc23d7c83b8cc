"""What people are told of regression tests."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    FINISHED = "regressionFinished", "A regression test of my models finished", "ok"
    BROKEN = "regressionBroken", "A version of my models fails DSAT cases that the version before passed", "bad"
    FAILED = "regressionFailed", "A regression test of my models could not be done", "bad"
