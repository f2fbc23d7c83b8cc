"""The conditions under which a revision was measured, as they stand beside its result."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Asked:
    """What is known before anything runs.

    Attributes:
        configuration: instance type and model configuration of the revision.
        asked_cpus: of the instance type; likewise the memory.
        host: worker that measures.
    """

    configuration: dict[str, Any]
    asked_cpus: int
    asked_memory_bytes: int
    artifact_digest: str
    seed: int
    host: str


@dataclass(frozen=True)
class Conditions(Asked):
    """All conditions, once the service is ready.

    Attributes:
        cpus: that the service is given; likewise the memory.
        host_cpus: None where the system does not tell.
        format: of the requests: `model` after the model's own converter, or `mop`.
        not_json: why the converted input could not be sent; empty for the model format.
    """

    cpus: float
    memory_bytes: int
    host_cpus: int | None
    sandbox_level: int
    sandbox_parts: tuple[str, ...]
    mop_version: str
    format: Literal["model", "mop"]
    not_json: str
    payload_bytes: int
    payload_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return dataclasses.asdict(self)
