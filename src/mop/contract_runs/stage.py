"""Contract runs as a stage of the pipeline: tasks that were added while a version was being verified."""

from __future__ import annotations

from mop.audit.services import Actor
from mop.contract_runs.services import start_missing_checks
from mop.registry.models import Revision

PIPELINE = Actor.system("pipeline")


def begin(revision: Revision) -> None:
    """Start the checks that are missing; the pipeline does not wait for them.

    Raises:
        WorkerLostError: this process is a worker whose work was given to another.
    """
    start_missing_checks(actor=PIPELINE, revision=revision)
