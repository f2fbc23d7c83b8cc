"""The cage in which strangers' code runs.

The names below are loaded when they are first used: the supervisor is part of this package and must start fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mop.sandbox.devices import host_gpus
    from mop.sandbox.exit_codes import EXIT_MEMORY, EXIT_SETUP, EXIT_TIME
    from mop.sandbox.job import Granted, Job, Limits, Mount, SandboxLevel
    from mop.sandbox.mounts import find_certificates, python_mounts
    from mop.sandbox.probe import SERVICE_UID, ProbeResult, describe_sandbox, probe_sandbox
    from mop.sandbox.sandbox import Sandbox, unconfined

__all__ = [
    "EXIT_MEMORY",
    "EXIT_SETUP",
    "EXIT_TIME",
    "SERVICE_UID",
    "Granted",
    "Job",
    "Limits",
    "Mount",
    "ProbeResult",
    "Sandbox",
    "SandboxLevel",
    "describe_sandbox",
    "find_certificates",
    "host_gpus",
    "probe_sandbox",
    "python_mounts",
    "unconfined",
]

_HOMES = {
    "devices": ("host_gpus",),
    "exit_codes": ("EXIT_MEMORY", "EXIT_SETUP", "EXIT_TIME"),
    "job": ("Granted", "Job", "Limits", "Mount", "SandboxLevel"),
    "mounts": ("find_certificates", "python_mounts"),
    "probe": ("SERVICE_UID", "ProbeResult", "describe_sandbox", "probe_sandbox"),
    "sandbox": ("Sandbox", "unconfined"),
}


def __getattr__(name: str) -> Any:
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
