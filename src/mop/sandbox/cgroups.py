"""Control groups of one job, version 1 or 2, and the sweep of those that a killed supervisor left.

Part of the supervisor: standard library only, few imports. A job's group is named
`mop-<pid namespace>-<supervisor's pid>-<its start time>-<label>`, so that anyone can tell whether its owner lives.
"""
# pathlib would add a third to the supervisor's start-up
# ruff: noqa: PTH102, PTH106, PTH110, PTH116, PTH123, PTH208

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections import namedtuple

CONTROLLERS = ("memory", "cpu", "pids")
_PERIOD_US = 100_000
_BWRAP_PROCESSES = 2  # its monitor and the cage's process 1 count as well
_REMOVE_TRIES = 50
_REMOVE_PAUSE_S = 0.02

Controller = namedtuple("Controller", ["name", "version", "base"])  # noqa: PYI024 - typing costs start-up
"""A controller that can be used here: its name, 1 or 2, and the folder below which a job's group is made."""


class JobCgroups:
    """The groups of one job: one in version 2, one for each controller in version 1."""

    def __init__(self, controllers: list[Controller], label: str) -> None:
        self._controllers = controllers
        name = f"{owner_prefix()}{''.join(c if c.isalnum() else '-' for c in label)[:40]}"
        self._folders = {c.name: f"{c.base}/{name}" for c in controllers}
        self._memory_version = next((c.version for c in controllers if c.name == "memory"), 0)
        self.memory_events: int | None = None
        """A file descriptor to poll for `memory_mask`; ask `out_of_memory` when it fires."""
        self.memory_mask = select.POLLIN if self._memory_version == 1 else select.POLLPRI

    def create(self, *, memory_bytes: int, cpus: float, processes: int) -> None:
        """Make the groups and write the limits.

        Raises:
            OSError: a group or a limit is refused.
        """
        for folder in set(self._folders.values()):
            os.mkdir(folder, 0o755)
        self.write_limits(memory_bytes=memory_bytes, cpus=cpus, processes=processes)
        if self._memory_version:
            self.memory_events = _watch_memory(self._folders["memory"], self._memory_version)

    def write_limits(self, *, memory_bytes: int, cpus: float, processes: int) -> None:
        """Write the limits into groups that stand."""
        for controller in self._controllers:
            folder = self._folders[controller.name]
            if controller.name == "memory":
                _limit_memory(folder, controller.version, memory_bytes)
            elif controller.name == "cpu":
                _limit_cpu(folder, controller.version, cpus)
            else:
                write(f"{folder}/pids.max", str(processes + _BWRAP_PROCESSES))

    def join(self) -> None:
        """Move the calling process in."""
        for folder in set(self._folders.values()):
            write(f"{folder}/cgroup.procs", "0")

    def out_of_memory(self) -> bool:
        """Whether the kernel killed a process of the job for its memory; arms `memory_events` again."""
        if self.memory_events is None:
            return False
        name = "memory.oom_control" if self._memory_version == 1 else "memory.events"
        if self._memory_version == 1:
            try:
                os.eventfd_read(self.memory_events)
            except BlockingIOError:
                pass
            else:
                return True
        else:
            os.pread(self.memory_events, 1, 0)
        return any(
            line.startswith("oom_kill ") and line != "oom_kill 0" for line in _lines(self._folders["memory"], name)
        )

    def remove(self) -> None:
        """Remove the groups; every process in them has ended."""
        for folder in set(self._folders.values()):
            _remove(folder)


def sweep(controllers: list[Controller]) -> list[str]:
    """Kill and remove the groups whose supervisor has ended (killed by -9); returns their names."""
    swept = []
    for base in sorted({controller.base for controller in controllers}):
        for name in os.listdir(base):
            if is_orphan(name):
                folder = f"{base}/{name}"
                for pid in _lines(folder, "cgroup.procs"):
                    kill(int(pid))
                _remove(folder)
                swept.append(name)
    return swept


def write(path: str, text: str) -> None:
    """Write one value to a control file in one call, as the kernel wants it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def start_time(pid: int) -> str:
    """The process's start in clock ticks since boot, which tells it from a later one of the same pid; "" if ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def _limit_memory(folder: str, version: int, memory_bytes: int) -> None:
    if version == 1:
        write(f"{folder}/memory.limit_in_bytes", str(memory_bytes))
        if os.path.exists(f"{folder}/memory.memsw.limit_in_bytes"):
            write(f"{folder}/memory.memsw.limit_in_bytes", str(memory_bytes))
        return
    write(f"{folder}/memory.max", str(memory_bytes))
    write(f"{folder}/memory.oom.group", "1")
    if os.path.exists(f"{folder}/memory.swap.max"):
        write(f"{folder}/memory.swap.max", "0")


def _limit_cpu(folder: str, version: int, cpus: float) -> None:
    quota = max(1000, int(cpus * _PERIOD_US))
    if version == 1:
        write(f"{folder}/cpu.cfs_period_us", str(_PERIOD_US))
        write(f"{folder}/cpu.cfs_quota_us", str(quota))
    else:
        write(f"{folder}/cpu.max", f"{quota} {_PERIOD_US}")


def _watch_memory(folder: str, version: int) -> int:
    if version != 1:
        return os.open(f"{folder}/memory.events", os.O_RDONLY | os.O_CLOEXEC)
    event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    control = os.open(f"{folder}/memory.oom_control", os.O_RDONLY | os.O_CLOEXEC)
    try:
        write(f"{folder}/cgroup.event_control", f"{event} {control}")
    finally:
        os.close(control)
    return event


def _lines(folder: str, name: str) -> list[str]:
    try:
        with open(f"{folder}/{name}", encoding="utf-8") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _remove(folder: str) -> None:
    """Remove a group; for a moment after its last process ended the kernel may still call it busy."""
    for _ in range(_REMOVE_TRIES):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(_REMOVE_PAUSE_S)
        else:
            return


def kill(pid: int) -> None:
    """Kill a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _pid_namespace() -> int:
    return os.stat("/proc/self/ns/pid").st_ino


def owner_prefix() -> str:
    """How the names of what belongs to this supervisor begin."""
    return f"mop-{_pid_namespace()}-{os.getpid()}-{start_time(os.getpid())}-"


def is_orphan(name: str) -> bool:
    """Whether a name is of something whose supervisor has ended."""
    if not name.startswith(f"mop-{_pid_namespace()}-"):
        return False
    pid, started = name.split("-")[2:4]
    return start_time(int(pid)) != started
