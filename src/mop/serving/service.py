"""What the rest of MOP knows of a running model service, wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mop.serving.config import ServiceConfig


@dataclass(frozen=True)
class ServiceRequest:
    """What to reserve.

    Attributes:
        name: of the service, for people.
        owner: who holds the lease, for people.
        cpus: CPUs that the service may use.
        memory_bytes: memory that the service may use, all its model processes together.
        gpus: GPUs that the service may use.
    """

    name: str
    owner: str
    cpus: float
    memory_bytes: int
    gpus: int = 0


@dataclass(frozen=True)
class Reservation:
    """Room for one service on a host."""

    id: str
    request: ServiceRequest


@dataclass(frozen=True)
class UsageSample:
    """What a service has used up to one moment; None where it is not known or there is none.

    Attributes:
        at_ns: of this host's monotonic clock, which the generator counts by as well.
        cpu_s: seconds of CPU since it started, all its processes together.
        memory_bytes: now.
        disk_busy_s: seconds in which its disk had something to do, since some time in the past.
        gpu: share of the recent time in which its GPUs computed, averaged over them, 0 to 1.
        gpu_memory: share of their memory in use, 0 to 1.
    """

    at_ns: int
    cpu_s: float | None = None
    memory_bytes: int | None = None
    disk_busy_s: float | None = None
    gpu: float | None = None
    gpu_memory: float | None = None


@dataclass(frozen=True)
class Converted:
    """What the model's converter made of a MOP input.

    Attributes:
        body: the model's input as JSON; None where that would not be the same input.
        not_json: then why.
    """

    body: bytes | None
    not_json: str = ""


class Service(Protocol):
    @property
    def address(self) -> str:
        """Where it answers HTTP: `unix:/path` or `http://host:port`."""

    async def wait_ready(self, timeout: float) -> None:  # noqa: ASYNC109 - the service itself is told how long
        """Return when it can answer.

        Raises:
            MopError: why it cannot, as the catalogue's class; DeploymentTimeoutError after `timeout` seconds.
        """

    async def ended(self) -> str:
        """Return when it has ended without being told to: how, for people."""

    async def score(self, payload: Any, *, mop: bool) -> Any:
        """The output for an item, or the outputs for a list of items, in model format or in MOP format.

        Raises:
            MopError: what the service answered, as the catalogue's class.
        """

    async def model_input(self, mop_input: Any) -> Converted:
        """What the model's own converter makes of a MOP input, in the cage; nothing is inferred.

        Raises:
            MopError: what the service answered, as the catalogue's class.
        """

    async def acs_findings(self, item: Mapping[str, str]) -> Any:
        """What the model finds in a request of Azure AI Content Safety, through its converters for it.

        Args:
            item: `{"text": text}`, or `{"image": base64}` of an image file.

        Returns:
            `{"hate": {"severity": 0 to 7, "score": 0 to 1}, "self_harm": ..., "sexual": ..., "violence": ...}`.

        Raises:
            MopError: what the service answered, as the catalogue's class; InvalidModelOutputError also where the model
                has no such converters.
        """

    def usage(self) -> UsageSample:
        """What the model has used up to now, all its processes together. Blocks for some milliseconds."""

    def host_cpus(self) -> frozenset[int]:
        """The CPUs of this host that the model may run on; none where it runs elsewhere."""

    def log_lines(self, after: int) -> list[str]:
        """The lines of its log from number `after` on (0: all); the oldest are dropped when there are very many."""

    @property
    def log_count(self) -> int:
        """Lines so far: the next `after`, also when the oldest were dropped."""

    async def renew(self) -> None:
        """Keep the lease for another time to live."""

    async def stop(self) -> None:
        """Let requests in flight finish, end it and give its room back. May be called again."""

    async def abort(self) -> None:
        """End it at once, requests in flight included, and give its room back. May be called again."""


class ServiceHost(Protocol):
    """Where model services run."""

    async def reserve(self, request: ServiceRequest) -> Reservation:
        """Take room for a service.

        Raises:
            HostLostError: there is no room now.
        """

    async def start(self, reservation: Reservation, config: ServiceConfig) -> Service:
        """Start the service of a reservation; it is not ready yet."""

    async def release(self, reservation: Reservation) -> None:
        """Give back the room of a reservation; nothing to do when its service did so."""

    def end_own(self) -> None:
        """End at once the services that this process holds, and give their room back: its last act before it ends."""

    def sweep(self) -> None:
        """Clear away what dead owners left."""
