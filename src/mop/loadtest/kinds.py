"""What owners are told of load tests."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    LOAD_TEST_FINISHED = "loadTestFinished", "load test finished", "A load test of my models has finished", "ok"
    LOAD_TEST_FAILED = "loadTestFailed", "load test failed", "A load test of my models failed", "bad"
