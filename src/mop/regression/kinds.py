"""What people are told of regression tests."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    FINISHED = "regressionFinished", "regression finished", "A regression test of my models finished", "ok"
    BROKEN = (
        "regressionBroken",
        "newly broken cases",
        "A version of my models fails DSAT cases that the version before passed",
        "bad",
    )
    FAILED = "regressionFailed", "regression failed", "A regression test of my models failed", "bad"
