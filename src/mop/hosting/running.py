"""Room on this host for a service, and the service in it: started, followed, ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from mop.errors import HostLostError
from mop.hosting.configuration import Configuration, granted
from mop.hosting.preparation import Log
from mop.hosting.tools import HostTools
from mop.serving.config import ServiceConfig
from mop.serving.disclosure import Disclosure
from mop.serving.service import Reservation, Service, ServiceRequest

RENEW_SECONDS = 15.0
READY_GRACE_SECONDS = 30.0  # the service notices a late init by itself, and knows more about it
LOG_POLL_SECONDS = 0.2
ROOM_WAIT_SECONDS = 1800.0
ROOM_POLL_SECONDS = 0.5


async def reserve(name: str, *, owner: str, configuration: Configuration, tools: HostTools, log: Log) -> Reservation:
    """A lease with socket and room on this host; waits while other services hold the room.

    Raises:
        HostLostError: no room within half an hour.
    """
    given = granted(configuration, tools)
    request = ServiceRequest(
        name=name, owner=owner, cpus=given.cpus, memory_bytes=given.memory_bytes, gpus=configuration.gpus
    )
    waits = 0.0
    while True:
        try:
            return await tools.host.reserve(request)
        except HostLostError as error:
            if waits >= ROOM_WAIT_SECONDS:
                raise
            if waits == 0.0:
                log(f"waits for room on this host: {error.message}")
        await asyncio.sleep(ROOM_POLL_SECONDS)
        waits += ROOM_POLL_SECONDS


async def wait_ready(service: Service, tools: HostTools) -> None:
    """Return when the service is ready.

    Raises:
        ModelFault: why it never will be.
    """
    await service.wait_ready(tools.init_deadline_s + READY_GRACE_SECONDS)


@contextlib.asynccontextmanager
async def held(reservation: Reservation, tools: HostTools) -> AsyncIterator[Reservation]:
    """Give the room back when the block ends, however far its service came."""
    try:
        yield reservation
    finally:
        await tools.host.release(reservation)


@contextlib.asynccontextmanager
async def running_service(
    reservation: Reservation, config: ServiceConfig, *, tools: HostTools, log: Log
) -> AsyncIterator[Service]:
    """Start the service, keep its lease and copy its log while the block runs; stop it, at once if the block failed.

    A service that discloses nothing is always ended at once: what it still works on nobody waits for.
    """
    service = await tools.host.start(reservation, config)
    follower = asyncio.create_task(_follow(service, log))
    end = service.abort
    try:
        yield service
        if config.disclosure is Disclosure.FULL:
            end = service.stop
    finally:
        follower.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await follower
        await asyncio.shield(end())


async def _follow(service: Service, log: Log) -> None:
    """Copy new log lines, and renew the lease in time; copy the rest when cancelled."""
    seen, since = 0, 0.0
    try:
        while True:
            seen = _copy(service, seen, log)
            await asyncio.sleep(LOG_POLL_SECONDS)
            since += LOG_POLL_SECONDS
            if since >= RENEW_SECONDS:
                await service.renew()
                since = 0.0
    finally:
        _copy(service, seen, log)


def _copy(service: Service, seen: int, log: Log) -> int:
    for line in service.log_lines(seen):
        log(line)
    return service.log_count
