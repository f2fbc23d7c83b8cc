"""What people are told of releases."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    RELEASE_REQUESTED = "releaseRequested", "A release to a service of mine waits for a decision", "warn"
    RELEASE_DECIDED = "releaseDecided", "A release that I requested, or of my models, is decided", "quiet"
    RELEASE_LIVE = "releaseLive", "What is live changes for my models or my services", "ok"
