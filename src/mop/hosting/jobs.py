"""What to run: one service of a local folder, or of a revision."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mop.hosting.configuration import Configuration, configuration_of
from mop.registry.models import Revision
from mop.serving.disclosure import Disclosure


@dataclass(frozen=True)
class ServiceSpec:
    """One service.

    Attributes:
        name: of the service, for people.
        owner: who holds its lease, for people.
        configuration: its instance type and serving options.
        allowed_hosts: the hosts that its model may reach.
        uds: the unix socket to listen on; without it and `port` the reservation's own.
        port: of the loopback address to listen on.
        disclosure: what may be told of its model's output and end.
        sample: the item of `inference()` that the model's owner gave, shown in the service's description of itself.
    """

    name: str
    owner: str
    configuration: Configuration
    allowed_hosts: tuple[str, ...] = ()
    uds: Path | None = None
    port: int | None = None
    disclosure: Disclosure = Disclosure.FULL
    sample: Any = None


@dataclass(frozen=True)
class RevisionJob:
    """One service of a revision, detached from the database.

    Attributes:
        revision_id: of the revision.
        attempt: of the revision; a scan is written once for each attempt and environment.
        artifact_digest: of its snapshot.
        spec: of the service.
    """

    revision_id: uuid.UUID
    attempt: int
    artifact_digest: str
    spec: ServiceSpec


def job_of(revision: Revision, *, name: str, owner: str) -> RevisionJob:
    """The job that runs a revision as it is configured."""
    return RevisionJob(
        revision_id=revision.pk,
        attempt=revision.attempt,
        artifact_digest=revision.artifact_digest,
        spec=ServiceSpec(
            name=name,
            owner=owner,
            configuration=configuration_of(revision),
            allowed_hosts=tuple(revision.allowed_hosts),
            sample=revision.sample_post_data,
        ),
    )
