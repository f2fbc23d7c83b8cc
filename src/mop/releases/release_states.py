"""The lifecycle of a release, and how it went live or ended in a slot."""

from __future__ import annotations

from django.db import models

from mop.engine.lifecycle import Lifecycle, State, Tone, final, live


class ReleaseState(State):
    """Where a release stands on its way to a downstream service."""

    REQUESTED = live("requested", "It waits for a decision by an admin of the service.")
    APPROVED = live("approved", "The service may take it. It is not live yet, or a canary of it is.", tone=Tone.OK)
    RELEASED = live("released", "It is live for at least one taxonomy of the service.", tone=Tone.OK)
    RETIRED = final("retired", "It was live and no longer is.", tone=Tone.QUIET)
    REJECTED = final("rejected", "An admin of the service refused it.", tone=Tone.BAD)
    WITHDRAWN = final("withdrawn", "It was taken back before it was live.", tone=Tone.QUIET)


S = ReleaseState

RELEASE_LIFECYCLE = Lifecycle(
    path=(S.REQUESTED, S.APPROVED, S.RELEASED, S.RETIRED),
    further={S.REQUESTED: {S.REJECTED, S.WITHDRAWN}, S.APPROVED: {S.WITHDRAWN}},
)

CANARY_STARTED, CANARY_CHANGED, CANARY_ENDED = "canaryStarted", "canaryChanged", "canaryEnded"
BUNDLE_READY = "bundleReady"
EVENT_LABELS = {
    **{state.value: state.value for state in ReleaseState},
    CANARY_STARTED: "canary started",
    CANARY_CHANGED: "share of the canary changed",
    CANARY_ENDED: "canary ended",
    BUNDLE_READY: "bundle ready",
}
"""What happens to a release: the value of an event, and what pages call it."""

OPEN = (S.REQUESTED, S.APPROVED)
"""Before it was live."""
HOLDING = (S.APPROVED, S.RELEASED)
"""States in which a release needs its version and its connected tasks."""


class WentLive(models.TextChoices):
    """What made an approved release live."""

    GATEWAY = "gateway", "the gateway switched to it"
    ACKNOWLEDGED = "acknowledged", "the service acknowledged it"
    ADMIN = "admin", "an admin of the service said so"
    ROLLBACK = "rollback", "an admin of the service rolled back to it"


class PeriodEnd(models.TextChoices):
    """Why a release stopped being live in a slot."""

    REPLACED = "replaced", "another release replaced it"
    RETIRED = "retired", "an admin retired it"
    ROLLED_BACK = "rolledBack", "an admin rolled it back"
