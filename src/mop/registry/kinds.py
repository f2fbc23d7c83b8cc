"""What owners are told of their models."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area; the values of statuses are the statuses' own words."""

    VERIFIED = "verified", "verified", "A version of my models is verified", "ok"
    VERIFY_FAILED = "verifyFailed", "verification failed", "A version of my models failed verification", "bad"
    VULNERABLE = "vulnerable", "vulnerable", "A version of my models is blocked by a finding", "bad"
    CANCELLED = "cancelled", "cancelled", "Somebody else cancelled a version of my models", "quiet"
    TO_BE_RETRIED = "toBeRetried", "to be retried", "A version of my models is delayed by a cause outside it", "warn"
    OWNERSHIP = "ownership", "model owners", "Owners of my models change", "quiet"
