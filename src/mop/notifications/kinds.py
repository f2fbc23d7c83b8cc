"""What people are told about, and how each kind looks."""

from __future__ import annotations

from django.db import models


class Kind(models.TextChoices):
    """Why somebody is told; people choose by kind. The values of statuses are the statuses' own words."""

    VERIFIED = "verified", "A version of my models is verified"
    VERIFY_FAILED = "verifyFailed", "A version of my models failed verification"
    VULNERABLE = "vulnerable", "A version of my models is blocked by a finding"
    FINDINGS = "findings", "A scan finds something new in a version of my models"
    CANCELLED = "cancelled", "Somebody else cancelled a version of my models"
    TO_BE_RETRIED = "toBeRetried", "A version of my models waits for a cause outside it"
    OWNERSHIP = "ownership", "Owners of my models change"
    ALERT = "alert", "The installation needs its operator"

    @property
    def tone(self) -> str:
        """The colour family of the badge: ok, bad, warn or quiet."""
        return TONES[self]

    @property
    def meaning(self) -> str:
        """One sentence for people who meet the word for the first time."""
        return f"{self.label}."


TONES = {
    Kind.VERIFIED: "ok",
    Kind.VERIFY_FAILED: "bad",
    Kind.VULNERABLE: "bad",
    Kind.FINDINGS: "warn",
    Kind.CANCELLED: "quiet",
    Kind.TO_BE_RETRIED: "warn",
    Kind.OWNERSHIP: "quiet",
    Kind.ALERT: "bad",
}

FOR_ADMINISTRATORS = frozenset({Kind.ALERT})


class EmailState(models.TextChoices):
    """Where an e-mail stands."""

    QUEUED = "queued", "waits to be sent"
    SENT = "sent", "sent"
    FAILED = "failed", "could not be sent"
    WITHHELD = "withheld", "not sent: its reader may no longer see it, or has no address"
