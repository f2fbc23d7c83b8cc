"""Model services on this machine: the default host, and the reference for others."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from mop import failpoints
from mop.errors import HostLostError
from mop.serving.config import ServiceConfig
from mop.serving.disclosure import Disclosure
from mop.serving.gpus import Gpus
from mop.serving.leases import Lease, LeaseFolder, ProcessId
from mop.serving.local_service import LocalService, kill_and_reap
from mop.serving.meters import ProcessTree, ServiceMeter
from mop.serving.service import Reservation, ServiceRequest
from mop.serving_options import ServerMode

FRONTS = {ServerMode.MOP: "mop.serving.front", ServerMode.GUNICORN: "mop.serving.gunicorn_front"}
ANNOUNCE_DEADLINE_S = 30.0
OUTPUT_LIMIT_BYTES = 1 << 20


@dataclass(frozen=True)
class LocalReservation(Reservation):
    """Room on this machine, with the folder that holds lease and socket."""

    folder: Path


class LocalServiceHost:
    """Starts fronts as children of this process.

    Args:
        runtime_folder: short path; leases and sockets stand here. Processes that share it share the room.
        cpus: CPUs of this host for services; all that this process may use by default.
        memory_bytes: memory of this host for services; all of it by default. Never given twice.
        cpu_overcommit: how many times the CPUs may be reserved: services are seldom busy all at once.
    """

    def __init__(
        self,
        runtime_folder: Path,
        *,
        cpus: float | None = None,
        memory_bytes: int | None = None,
        cpu_overcommit: float = 4.0,
    ) -> None:
        self._leases = LeaseFolder(runtime_folder)
        self._cpus = (cpus or len(os.sched_getaffinity(0))) * cpu_overcommit
        self._memory_bytes = memory_bytes or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    async def reserve(self, request: ServiceRequest) -> LocalReservation:
        """Check the room, make the private folder, write the lease.

        Raises:
            HostLostError: the host has no room for it now.
        """
        with self._leases.locked():
            self._leases.sweep()
            self._check_room(request)
            lease = Lease(
                request.name, request.owner, request.cpus, request.memory_bytes, holder=ProcessId.of(os.getpid())
            )
            folder = self._leases.add(lease)
        return LocalReservation(folder.name, request, folder)

    def _check_room(self, request: ServiceRequest) -> None:
        leases = self._leases.living()
        cpus = self._cpus - sum(lease.cpus for lease in leases)
        memory = self._memory_bytes - sum(lease.memory_bytes for lease in leases)
        if request.cpus > cpus or request.memory_bytes > memory:
            raise HostLostError(
                f"This host has no room for {request.name}: it wants {request.cpus:g} CPUs and "
                f"{request.memory_bytes >> 20} MiB; {max(cpus, 0):g} CPUs and {max(memory, 0) >> 20} MiB are free.",
                hint="MOP tries again when another service has ended; or give the host more room.",
            )

    async def start(self, reservation: Reservation, config: ServiceConfig) -> LocalService:
        """Start the front; it boots the model processes by itself.

        Raises:
            HostLostError: the front did not come up.
        """
        if not isinstance(reservation, LocalReservation):
            raise TypeError("the reservation is another host's")
        folder = reservation.folder
        if config.uds is None and config.port is None:
            config = replace(config, uds=folder / "s.sock")
        discloses = config.disclosure is Disclosure.FULL
        front = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-m",
            FRONTS[config.server],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # a traceback of the front could quote the model
            stderr=asyncio.subprocess.STDOUT if discloses else asyncio.subprocess.DEVNULL,
            cwd=folder,
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(folder)},
            start_new_session=True,
            limit=OUTPUT_LIMIT_BYTES,
        )
        failpoints.hit("after front start")
        try:
            self._leases.write(folder, self._lease(reservation.request, config, front.pid))
            meter = _meter(front.pid, reservation.request, config)
            service = LocalService(front, self._leases, folder, meter, config.disclosure)
            await self._announced(service, config)
        except BaseException:
            await kill_and_reap(front)
            raise
        return service

    @staticmethod
    def _lease(request: ServiceRequest, config: ServiceConfig, pid: int) -> Lease:
        return Lease(
            request.name,
            request.owner,
            request.cpus,
            request.memory_bytes,
            holder=ProcessId.of(os.getpid()),
            ttl_s=config.lease_ttl_s,
            front=ProcessId.of(pid),
        )

    @staticmethod
    async def _announced(service: LocalService, config: ServiceConfig) -> None:
        try:
            async with asyncio.timeout(ANNOUNCE_DEADLINE_S):
                await service.configure(orjson.dumps(config.to_dict()))
        except TimeoutError:
            raise HostLostError(f"The service's front did not listen within {ANNOUNCE_DEADLINE_S:g} s.") from None

    async def release(self, reservation: Reservation) -> None:
        """Give the room back."""
        if isinstance(reservation, LocalReservation):
            self._leases.remove(reservation.folder)

    def end_own(self) -> None:
        """Kill what this process started here, and remove its folders and leases."""
        with self._leases.locked():
            self._leases.end_all_of(ProcessId.of(os.getpid()))

    def sweep(self) -> None:
        """Remove folders and leases of dead owners, and kill the fronts that they left."""
        with self._leases.locked():
            self._leases.sweep()


def _meter(front: int, request: ServiceRequest, config: ServiceConfig) -> ServiceMeter:
    gpus = Gpus.open() if request.gpus else None
    return ServiceMeter(ProcessTree(front, below=True), disk=config.reads_from, gpus=gpus)
