"""Load tests as a stage of the pipeline."""

from __future__ import annotations

from mop.audit.services import Actor
from mop.loadtest.services import start_after_verified
from mop.registry.models import Revision

PIPELINE = Actor.system("pipeline")


def begin(revision: Revision) -> None:
    """Start the first run; its load tests wait on queues of their own, and the pipeline does not wait for them.

    Raises:
        WorkerLostError: this process is a worker whose work was given to another.
    """
    start_after_verified(actor=PIPELINE, revision_id=str(revision.pk), attempt=revision.attempt)
