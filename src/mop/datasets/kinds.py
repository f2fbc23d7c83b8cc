"""What people are told of datasets and their bindings."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    VERIFIED = "datasetVerified", "dataset verified", "One of my datasets is verified", "ok"
    VERIFY_FAILED = "datasetVerifyFailed", "dataset failed", "One of my datasets failed verification", "bad"
    REQUESTED = "bindingRequested", "dataset request", "Somebody asks to connect a dataset to one of my tasks", "warn"
    DECIDED = "bindingDecided", "dataset decision", "A task owner decided about one of my datasets", "quiet"
    OWNERSHIP = "datasetOwnership", "dataset owners", "Owners of my datasets change", "quiet"
