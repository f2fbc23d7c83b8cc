"""How the service of a model is configured, and what of it this host can give."""

from __future__ import annotations

from dataclasses import dataclass, field

from mop.hosting.tools import GIB, HostTools
from mop.registry.models import Revision
from mop.sandbox import Granted, Limits
from mop.serving.config import BatchPolicy
from mop.serving_options import ServerMode, ServingOptions


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


def configuration_of(revision: Revision) -> Configuration:
    """The configuration of a revision's service."""
    options = ServingOptions.of(revision)
    return Configuration(
        cpus=float(revision.instance_type.vcpus),
        memory_bytes=revision.instance_type.memory_bytes,
        gpus=revision.instance_type.gpus,
        server=options.server,
        workers=options.worker_number,
        threads=options.thread_number,
        batch=BatchPolicy.of(options),
    )


def limits_of(configuration: Configuration, *, workers: int) -> Limits:
    """Each of the workers gets its part of the instance type, so that together they never exceed it."""
    return Limits(cpus=configuration.cpus / workers, memory_bytes=configuration.memory_bytes // workers, processes=1024)


def granted(configuration: Configuration, tools: HostTools) -> Granted:
    """What the instance type's limits come to on this host, for the whole service."""
    return tools.sandbox.granted(limits_of(configuration, workers=1))


def describe_grant(given: Granted, configuration: Configuration) -> str:
    """What was given of what was asked for, for people."""
    gpus = f"{configuration.gpus} GPU{'s' if configuration.gpus > 1 else ''}, " if configuration.gpus else ""
    return (
        f"given {given.cpus:g} of {configuration.cpus:g} vCPU and {given.memory_bytes / GIB:.1f} of "
        f"{configuration.memory_bytes / GIB:.1f} GiB, {gpus}sandbox level {int(given.level)} ({', '.join(given.parts)})"
    )
