"""What owners are told of their models."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area; the values of statuses are the statuses' own words."""

    VERIFIED = "verified", "A version of my models is verified", "ok"
    VERIFY_FAILED = "verifyFailed", "A version of my models failed verification", "bad"
    VULNERABLE = "vulnerable", "A version of my models is blocked by a finding", "bad"
    CANCELLED = "cancelled", "Somebody else cancelled a version of my models", "quiet"
    TO_BE_RETRIED = "toBeRetried", "A version of my models waits for a cause outside it", "warn"
    OWNERSHIP = "ownership", "Owners of my models change", "quiet"
