"""Evaluation as a stage of the pipeline."""

from __future__ import annotations

from mop.audit.services import Actor
from mop.evaluation.services import start_missing
from mop.registry.models import Revision

PIPELINE = Actor.system("pipeline")


def begin(revision: Revision) -> None:
    """Start the evaluations of a revision; they wait on queues of their own, and the pipeline does not wait for them.

    Raises:
        WorkerLostError: this process is a worker whose work was given to another.
    """
    start_missing(actor=PIPELINE, revision=revision)
