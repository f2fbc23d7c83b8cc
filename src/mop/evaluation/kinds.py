"""What people are told of evaluations."""

from __future__ import annotations

from mop.areas.words import NotificationKind


class Kind(NotificationKind):
    """Kinds of this area."""

    FINISHED = "evaluationFinished", "evaluation finished", "A version of my models was evaluated", "ok"
    FAILED = "evaluationFailed", "evaluation failed", "An evaluation of my models failed", "bad"
    DATASET_MEASURED = "datasetMeasured", "dataset used", "A model was evaluated on my datasets", "quiet"
