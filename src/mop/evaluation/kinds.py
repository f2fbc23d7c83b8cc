"""What people are told of evaluations."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    FINISHED = "evaluationFinished", "A version of my models was evaluated", "ok"
    FAILED = "evaluationFailed", "An evaluation of my models could not be done", "bad"
    DATASET_MEASURED = "datasetMeasured", "A model was evaluated on my datasets", "quiet"
