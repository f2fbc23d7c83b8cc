"""What people are told of releases."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    RELEASE_REQUESTED = (
        "releaseRequested",
        "release requested",
        "A release to a service of mine waits for a decision",
        "warn",
    )
    RELEASE_DECIDED = (
        "releaseDecided",
        "release decided",
        "A release that I requested, or of my models, is approved, rejected or withdrawn",
        "quiet",
    )
    RELEASE_LIVE = "releaseLive", "live release", "A release of my models or to my services goes live or ends", "ok"
