"""Onboarding as a stage of the pipeline: when an attempt has its turn."""

from __future__ import annotations

from mop.registry.models import Revision, RevisionEvent
from mop.registry.statuses import RevisionStatus

ARRIVALS = 100_000  # told apart within one turn
TURNS_MAX = 20_000  # the engine's priorities end at 2**31 - 1


def is_unfinished(revision: Revision) -> bool:
    """Whether the revision's attempt is not over."""
    return not revision.get_status().is_final


def turn_of(revision: Revision) -> tuple[str, int]:
    """The queue and the engine's priority of the revision's attempt: the team's turn first, then the order of arrival.

    Pipelines start side by side, so the order in which they enqueue their stages says nothing; the events' ids do.
    """
    arrival = (
        RevisionEvent.objects.filter(revision=revision, attempt=revision.attempt, status=RevisionStatus.CREATED)
        .values_list("id", flat=True)
        .get()
    )
    return revision.queue, min(revision.priority, TURNS_MAX) * ARRIVALS + arrival % ARRIVALS
