"""Scans in the sandbox: what the scanners may see and use."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import mop
from mop.sandbox import Job, Limits, Mount, Sandbox, python_mounts
from mop.scanning.scanner import Subject

SCAN_MEMORY_BYTES = 512 * 1024**2
"""Of each of the processes that scan side by side."""
SCAN_PROCESSES = 64


def caged_scan(sandbox: Sandbox, subject: Subject) -> Callable[[list[str]], list[str]]:
    """How the scan job is started in the cage: MOP's Python and packages, the model folder and the environment.

    All of it is read-only, there is no network, and paths are the host's, so that every level can show them.
    """
    python = Path(sys.executable)
    package = Path(mop.__file__).resolve().parents[1]
    scanned = [folder for folder in (subject.model, subject.environment) if folder is not None]
    seen = {Path(sys.prefix), package, *scanned}
    mounts = {mount.target: mount for mount in python_mounts(python)} | {
        str(path): Mount(path, str(path)) for path in seen
    }

    def caged(argv: list[str]) -> list[str]:
        job = Job(
            argv=tuple(argv),
            mounts=tuple(mounts.values()),
            limits=Limits(
                cpus=1, memory_bytes=SCAN_MEMORY_BYTES, processes=SCAN_PROCESSES, tmpfs_bytes=SCAN_MEMORY_BYTES // 4
            ),
            label="scan",
        )
        return sandbox.command(job)

    return caged
