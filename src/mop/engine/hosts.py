"""Finding a worker's process on its own host, so that one that is frozen does not hold what others there wait for."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from pathlib import Path

from django.db import connection


def this_process() -> str:
    """Database, host, namespace, number and start of this process."""
    return json.dumps([*_place(), os.getpid(), _started(os.getpid())])


def this_lock(path: Path) -> str:
    """Names an open file lock: its file on this host's running kernel."""
    status = path.stat()
    return f"{_boot()} {status.st_dev}:{status.st_ino} {path}"


def kill_if_here(process: str) -> bool:
    """Kill the process that `this_process` described if it is on this host and lives; its children end with it.

    A frozen process keeps its file locks, its memory and its services. Elsewhere the fence must do: what
    runs there ends with its leases.
    """
    *place, pid, started = json.loads(process)
    if place != _place() or _started(pid) != started:
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def _place() -> list[str]:
    """Where a process number means what it means here. A copy of the database tells of processes of the original."""
    address = connection.settings_dict
    return [
        f"{address['HOST']}:{address['PORT']}/{address['NAME']}",
        _boot(),
        str(Path("/proc/self/ns/pid").readlink()),
    ]


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""
