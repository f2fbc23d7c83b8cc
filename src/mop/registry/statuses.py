"""The lifecycle of a revision, and the other words that it has a choice of."""

from __future__ import annotations

from django.db import models

from mop.engine.lifecycle import Lifecycle, State, Tone, final, live


class RevisionStatus(State):
    """Where a revision stands on its way through the pipeline."""

    CREATED = live("created", "The version waits for a worker host.")
    DATA_DOWNLOADED = live("dataDownloaded", "The folder was copied; this version never changes from now on.")
    ENVIRONMENT_CREATING = live("environmentCreating", "The folder is being checked and its Python environment built.")
    ENVIRONMENT_CREATED = live("environmentCreated", "The Python environment is built.")
    ENDPOINT_CREATING = live("endpointCreating", "Resources on a host are being reserved.")
    ENDPOINT_CREATED = live("endpointCreated", "Resources on a host are reserved.")
    DEPLOYMENT_CREATING = live("deploymentCreating", "The model is being started in its sandbox.")
    DEPLOYMENT_CREATED = live(
        "deploymentCreated", "The model service is ready in its sandbox; its answers are being checked."
    )
    VERIFIED = final("verified", "The model's answers follow the contract.", tone=Tone.OK)
    VERIFY_FAILED = final(
        "verifyFailed", "The model broke a rule; the reason says which and how to fix it.", tone=Tone.BAD
    )
    VULNERABLE = final("vulnerable", "A finding blocks this version; Details lists the findings.", tone=Tone.BAD)
    CANCELLED = final("cancelled", "An owner stopped the pipeline.", tone=Tone.QUIET)
    TO_BE_RETRIED = live(
        "toBeRetried", "A cause outside the model stopped the pipeline; MOP tries again by itself.", tone=Tone.WARN
    )
    OUTDATED = final("outdated", "An owner set this version aside.", tone=Tone.QUIET)


S = RevisionStatus

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
"""The statuses of a revision with which nothing goes wrong."""

REVISION_LIFECYCLE = Lifecycle(
    path=CHAIN,
    exits={S.VERIFY_FAILED, S.VULNERABLE, S.CANCELLED, S.TO_BE_RETRIED},
    further={
        S.TO_BE_RETRIED: {S.VERIFY_FAILED, S.CANCELLED},
        S.VERIFIED: {S.VULNERABLE, S.OUTDATED},
        S.VERIFY_FAILED: {S.OUTDATED},
        S.CANCELLED: {S.OUTDATED},
        S.VULNERABLE: {S.OUTDATED},
    },
    # the snapshot and the environment of an earlier attempt may stand, so a new one starts again at created
    restarts={S.VERIFY_FAILED, S.CANCELLED, S.TO_BE_RETRIED},
)


class PublishStatus(models.TextChoices):
    """Who sees a revision."""

    PRIVATE = "private", "private"
    PUBLIC = "public", "public"
