"""What a request for a release would find, before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mop.errors import MopError
from mop.registry.models import Revision, TaskConnection
from mop.releases.models import Service
from mop.releases.requests.deciding import connections_for, refuse_gates, refuse_repeated, refuse_unmet
from mop.releases.requests.evidence import Evidence, evidence_of


@dataclass(frozen=True)
class Offer:
    """A version, a service, the tasks, and what is known.

    Attributes:
        obstacle: why a request would be refused; None where it would not.
    """

    connections: Sequence[TaskConnection]
    evidence: Evidence
    obstacle: MopError | None


def offer_of(revision: Revision, service: Service, taxonomies: Sequence[str] | None) -> Offer:
    """What a request would find now.

    Raises:
        ValidationFailedError: no task fits.
    """
    connections = connections_for(revision.model, service, taxonomies)
    evidence = evidence_of(revision, service, connections)
    obstacle = None
    try:
        refuse_repeated(revision, service, connections)
        refuse_unmet(evidence)
        refuse_gates(evidence, service)
    except MopError as error:
        obstacle = error
    return Offer(connections, evidence, obstacle)
