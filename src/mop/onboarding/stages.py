"""The stages of an onboarding as plain functions, shared by `mop check` and the workflow: check, build, serve."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from mop.environments import Environment, ensure_environment, environment_in_use
from mop.errors import HostLostError
from mop.onboarding.allowed_network import AllowedNetwork
from mop.onboarding.structure import ModelFolder, check_structure
from mop.onboarding.workshop import Workshop
from mop.sandbox import Granted, Job, Limits, Mount, python_mounts
from mop.serving.config import MODEL_PROCESS, BatchPolicy, ServiceConfig, model_process_argv
from mop.serving.service import Reservation, Service, ServiceRequest
from mop.serving_options import ServerMode, ServingOptions
from mop.storage import folder_in_use

Log = Callable[[str], None]

QUEUE_PER_WORKER = 256
LEASE_SECONDS = 60.0
RENEW_SECONDS = 15.0
READY_GRACE_SECONDS = 30.0  # the service notices a late init by itself, and knows more about it
LOG_POLL_SECONDS = 0.2
ROOM_WAIT_SECONDS = 1800.0
ROOM_POLL_SECONDS = 0.5

_INSIDE = "/mop"
GIB = 1024**3


@dataclass(frozen=True)
class Configuration:
    """The model configuration of a revision, and the size of its instance type."""

    cpus: float
    memory_bytes: int
    server: ServerMode = ServingOptions.server
    workers: int = ServingOptions.worker_number
    threads: int = ServingOptions.thread_number
    batch: BatchPolicy = field(default_factory=BatchPolicy)
    gpus: int = 0


async def check_folder(folder: Path, *, workshop: Workshop, log: Log) -> ModelFolder:
    """The parts of an unpacked model folder.

    Raises:
        ModelStructureError: the folder breaks a rule of its structure.
    """
    model = await asyncio.to_thread(check_structure, folder, wheel_bytes_max=workshop.environments.wheel_bytes_max)
    for warning in model.warnings:
        log(f"warning: {warning}")
    return model


async def build_environment(model: ModelFolder, *, workshop: Workshop, log: Log) -> Environment:
    """Make the environment of a model folder.

    Raises:
        SettingsFileError, RequirementsFileError, EnvironmentBuildError: by `ensure_environment`.
        OutsideFault: a cause outside the model.
    """
    return await ensure_environment(
        model.src,
        model.private_packages,
        config=workshop.environments,
        cage=workshop.cage,
        prepare_writable=workshop.prepare_writable,
        log=log,
    )


@contextlib.asynccontextmanager
async def in_use(unpacked: Path, environment: Environment) -> AsyncIterator[None]:
    """Garbage collection leaves the unpacked folder and the environment alone while the block runs."""
    with folder_in_use(unpacked), environment_in_use(environment):
        yield


def granted(configuration: Configuration, workshop: Workshop) -> Granted:
    """What the instance type's limits come to on this host, for the whole service."""
    return workshop.sandbox.granted(_limits(configuration, workers=1))


def describe_grant(given: Granted, configuration: Configuration) -> str:
    """What was given of what was asked for, for people."""
    gpus = f"{configuration.gpus} GPU{'s' if configuration.gpus > 1 else ''}, " if configuration.gpus else ""
    return (
        f"given {given.cpus:g} of {configuration.cpus:g} vCPU and {given.memory_bytes / GIB:.1f} of "
        f"{configuration.memory_bytes / GIB:.1f} GiB, {gpus}sandbox level {int(given.level)} ({', '.join(given.parts)})"
    )


async def reserve(name: str, *, owner: str, configuration: Configuration, workshop: Workshop, log: Log) -> Reservation:
    """A lease with socket and room on this host; waits while other services hold the room.

    Raises:
        HostLostError: no room within half an hour.
    """
    given = granted(configuration, workshop)
    request = ServiceRequest(
        name=name, owner=owner, cpus=given.cpus, memory_bytes=given.memory_bytes, gpus=configuration.gpus
    )
    waits = 0.0
    while True:
        try:
            return await workshop.host.reserve(request)
        except HostLostError as error:
            if waits >= ROOM_WAIT_SECONDS:
                raise
            if waits == 0.0:
                log(f"waits for room on this host: {error.message}")
        await asyncio.sleep(ROOM_POLL_SECONDS)
        waits += ROOM_POLL_SECONDS


def service_config(
    name: str,
    *,
    model: ModelFolder,
    environment: Environment,
    configuration: Configuration,
    workshop: Workshop,
    network: AllowedNetwork | None = None,
    uds: Path | None = None,
    port: int | None = None,
    lease_ttl_s: float | None = LEASE_SECONDS,
) -> ServiceConfig:
    """What the service's front is told: the caged command of a model process, batching, deadlines, bounds.

    Raises:
        HostLostError: this host lacks the GPUs of the configuration.
    """
    workers = configuration.workers
    return ServiceConfig(
        command=tuple(_command(model, environment, configuration, workshop, network)),
        name=name,
        server=configuration.server,
        workers=workers,
        threads=configuration.threads,
        batch=configuration.batch,
        uds=uds,
        port=port,
        init_deadline_s=workshop.init_deadline_s,
        request_deadline_s=workshop.request_deadline_s,
        queue_limit=QUEUE_PER_WORKER * workers,
        lease_ttl_s=lease_ttl_s,
        reads_from=model.model,
    )


def _command(
    model: ModelFolder,
    environment: Environment,
    configuration: Configuration,
    workshop: Workshop,
    network: AllowedNetwork | None,
) -> list[str]:
    script, src, root = (
        (f"{_INSIDE}/model_process.py", f"{_INSIDE}/src", f"{_INSIDE}/model")
        if workshop.sandbox.moves_mounts
        else (str(MODEL_PROCESS), str(model.src), str(model.model))
    )
    argv = model_process_argv(
        environment.python,
        script=script,
        src=src,
        model=root,
        threads=configuration.threads,
        batch=configuration.batch.enabled,
    )
    job = Job(
        argv=network.forwarded(environment.python, argv) if network else tuple(argv),
        mounts=(
            *python_mounts(environment.interpreter),
            Mount(environment.path, str(environment.path)),
            Mount(MODEL_PROCESS, script),
            Mount(model.src, src),
            Mount(model.model, root),
            *(network.mounts if network else ()),
        ),
        env={"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", **(network.environment if network else {})},
        cwd=src,
        limits=_limits(configuration, workers=configuration.workers),
        gpus=configuration.gpus,
        label="model",
    )
    return workshop.sandbox.command(job)


def _limits(configuration: Configuration, *, workers: int) -> Limits:
    """Each of the workers gets its part of the instance type, so that together they never exceed it."""
    return Limits(cpus=configuration.cpus / workers, memory_bytes=configuration.memory_bytes // workers, processes=1024)


async def wait_ready(service: Service, workshop: Workshop) -> None:
    """Return when the service is ready.

    Raises:
        ModelFault: why it never will be.
    """
    await service.wait_ready(workshop.init_deadline_s + READY_GRACE_SECONDS)


@contextlib.asynccontextmanager
async def held(reservation: Reservation, workshop: Workshop) -> AsyncIterator[Reservation]:
    """Give the room back when the block ends, however far its service came."""
    try:
        yield reservation
    finally:
        await workshop.host.release(reservation)


@contextlib.asynccontextmanager
async def running_service(
    reservation: Reservation, config: ServiceConfig, *, workshop: Workshop, log: Log
) -> AsyncIterator[Service]:
    """Start the service, keep its lease and copy its log while the block runs; stop it, at once if the block failed."""
    service = await workshop.host.start(reservation, config)
    follower = asyncio.create_task(_follow(service, log))
    end = service.abort
    try:
        yield service
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
