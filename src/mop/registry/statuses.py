"""Statuses of a revision, what they mean, how they look, and which may follow which."""

from __future__ import annotations

from django.db import models


class RevisionStatus(models.TextChoices):
    """Where a revision stands on its way through the pipeline. The value is the word used everywhere."""

    CREATED = "created", "created"
    DATA_DOWNLOADED = "dataDownloaded", "dataDownloaded"
    ENVIRONMENT_CREATING = "environmentCreating", "environmentCreating"
    ENVIRONMENT_CREATED = "environmentCreated", "environmentCreated"
    ENDPOINT_CREATING = "endpointCreating", "endpointCreating"
    ENDPOINT_CREATED = "endpointCreated", "endpointCreated"
    DEPLOYMENT_CREATING = "deploymentCreating", "deploymentCreating"
    DEPLOYMENT_CREATED = "deploymentCreated", "deploymentCreated"
    VERIFIED = "verified", "verified"
    VERIFY_FAILED = "verifyFailed", "verifyFailed"
    VULNERABLE = "vulnerable", "vulnerable"
    CANCELLED = "cancelled", "cancelled"
    TO_BE_RETRIED = "toBeRetried", "toBeRetried"
    OUTDATED = "outdated", "outdated"

    @property
    def is_final(self) -> bool:
        """Whether the pipeline is done with the revision until somebody acts."""
        return self in FINAL

    @property
    def is_running(self) -> bool:
        """Whether the pipeline works on the revision or will by itself."""
        return self not in FINAL

    @property
    def tone(self) -> str:
        """The colour family of the badge: ok, bad, warn, busy or quiet."""
        return TONES.get(self, "busy")

    @property
    def meaning(self) -> str:
        """One sentence for people who meet the word for the first time."""
        return MEANINGS[self]


S = RevisionStatus

# The straight way; a re-run after a crash may ask for a status that is already behind it.
CHAIN: tuple[RevisionStatus, ...] = (
    S.CREATED,
    S.DATA_DOWNLOADED,
    S.ENVIRONMENT_CREATING,
    S.ENVIRONMENT_CREATED,
    S.ENDPOINT_CREATING,
    S.ENDPOINT_CREATED,
    S.DEPLOYMENT_CREATING,
    S.DEPLOYMENT_CREATED,
    S.VERIFIED,
)

FINAL = frozenset({S.VERIFIED, S.VERIFY_FAILED, S.VULNERABLE, S.CANCELLED, S.OUTDATED})

RETRYABLE = frozenset({S.VERIFY_FAILED, S.CANCELLED, S.TO_BE_RETRIED})

_ENDS = frozenset({S.VERIFY_FAILED, S.VULNERABLE, S.CANCELLED, S.TO_BE_RETRIED})

TRANSITIONS: dict[RevisionStatus, frozenset[RevisionStatus]] = {
    **{status: _ENDS | {CHAIN[place + 1]} for place, status in enumerate(CHAIN[:-1])},
    # the snapshot and the environment of an earlier try may stand, so a new try starts again at created
    S.TO_BE_RETRIED: frozenset({S.CREATED, S.VERIFY_FAILED, S.CANCELLED}),
    S.VERIFY_FAILED: frozenset({S.CREATED, S.OUTDATED}),
    S.CANCELLED: frozenset({S.CREATED, S.OUTDATED}),
    S.VERIFIED: frozenset({S.VULNERABLE, S.OUTDATED}),
    S.VULNERABLE: frozenset({S.OUTDATED}),
    S.OUTDATED: frozenset(),
}

TONES = {
    S.VERIFIED: "ok",
    S.VERIFY_FAILED: "bad",
    S.VULNERABLE: "bad",
    S.CANCELLED: "quiet",
    S.OUTDATED: "quiet",
    S.TO_BE_RETRIED: "warn",
}

MEANINGS = {
    S.CREATED: "The revision waits for a worker host.",
    S.DATA_DOWNLOADED: "The folder was snapshot; this version never changes after that.",
    S.ENVIRONMENT_CREATING: "The folder is checked and its Python environment is built.",
    S.ENVIRONMENT_CREATED: "The Python environment stands.",
    S.ENDPOINT_CREATING: "Host, lease, socket and resource limits are being reserved.",
    S.ENDPOINT_CREATED: "Host, lease, socket and resource limits are reserved.",
    S.DEPLOYMENT_CREATING: "The model is being started in its sandbox.",
    S.DEPLOYMENT_CREATED: "The model service runs in its sandbox and is ready; its contract is being proved.",
    S.VERIFIED: "The model answered by contract.",
    S.VERIFY_FAILED: "The model broke a rule; Details names it and its mend.",
    S.VULNERABLE: "A finding blocks this revision; Details lists the findings.",
    S.CANCELLED: "An owner stopped the pipeline.",
    S.TO_BE_RETRIED: "A cause outside the model; MOP tries again by itself.",
    S.OUTDATED: "Its owner set this revision aside.",
}


class PublishStatus(models.TextChoices):
    """Who sees a revision."""

    PRIVATE = "private", "private"
    PUBLIC = "public", "public"
