"""The sandbox around a scan, as a worker puts it."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

from mop.hosting.caged_scan import caged_scan
from mop.sandbox import Sandbox, probe_sandbox
from mop.scanning.scanner import Subject


@functools.cache
def sandbox() -> Sandbox:
    """The best cage of this host."""
    return probe_sandbox(runtime_folder=Path(tempfile.mkdtemp(prefix="mop-scan-")))


def scan_cage(subject: Subject) -> Callable[[list[str]], list[str]]:
    """How a scan of this subject is started."""
    return caged_scan(sandbox(), subject)
