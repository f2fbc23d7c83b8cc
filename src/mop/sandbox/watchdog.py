"""Watch a job's processes from outside: the memory of the whole tree, and the CPUs it may run on.

Stands in for a memory control group. Part of the supervisor: standard library only, few imports.
"""
# pathlib would add a third to the supervisor's start-up
# ruff: noqa: PTH115, PTH123, PTH208

from __future__ import annotations

import os
import time
from collections.abc import Iterator

_INTERVAL_S = 0.1
_IDLE_FOR_EACH_COST = 20  # a look that took 10 ms is followed by 200 ms of rest: at most 5 % of one CPU
_LONGEST_INTERVAL_S = 1.0  # thousands of processes make a look slow, and they are what it must find in time
_KIB = 1024
_BLOCK = 4096
_INODE = 1024  # what the kernel keeps for a file on a tmpfs, however empty
_FREE_SOCKETS = 64
_SOCKET = 512 * _KIB  # its buffers hold no more, unless an administrator widened net.core.wmem_max


class Watchdog:
    """Sums what the descendants of this process hold.

    Memory is anonymous, shared and swapped memory, page tables, and the files on the cage's own tmpfs; file pages that
    the kernel can drop do not count. The sum of resident sizes is cheap but counts what forked processes share once for
    each; only when it is over the limit are the exact, proportional sizes read. What sockets hold cannot be read:
    beyond a few each counts with what it could.

    Attributes:
        interval: seconds until the next look.
        processes: processes and threads that the last look met.
    """

    def __init__(
        self,
        memory_bytes: int,
        cpus: set[int],
        init: int | None,
        folder: str = "",
        *,
        own_network: bool = False,
        most_processes: int | None = None,
    ) -> None:
        self._own_network = own_network
        self._most_processes = most_processes
        self._limit = memory_bytes
        self._cpus = cpus
        self._init = init
        self._folder = folder
        self.processes = 0
        self._tmpfs: list[int] | None = None
        self.interval = _INTERVAL_S

    def over_memory(self) -> bool:
        """Look once: whether the tree holds more than its limit. Puts the CPU affinity of each thread back.

        With too many processes it ends early, before what they hold is added up: see `too_many_processes`.
        """
        started = time.monotonic()
        pids = []
        self.processes = 0
        for pid, threads in processes_below(os.getpid()):
            pids.append(pid)
            self.processes += len(threads)
            if self.too_many_processes():
                return False
            self._hold_on_cpus(threads)
        files = self._tmpfs_bytes()
        kernel = max(0, self._sockets(pids) - _FREE_SOCKETS) * _SOCKET
        over = files + kernel + _sum(pids, "status", ("RssAnon", "RssShmem", "VmSwap", "VmPTE")) > self._limit and (
            self._exact(pids, files) + kernel > self._limit
        )
        rest = _IDLE_FOR_EACH_COST * (time.monotonic() - started)
        self.interval = min(max(_INTERVAL_S, rest), _LONGEST_INTERVAL_S)
        return over

    def too_many_processes(self) -> bool:
        """Whether the last look met more processes and threads than allowed; False without a limit."""
        return self._most_processes is not None and self.processes > self._most_processes

    def _exact(self, pids: list[int], files: int) -> int:
        shared = _sum(pids, "smaps_rollup", ("Pss_Shmem",))
        tables = _sum(pids, "status", ("VmPTE",))
        return _sum(pids, "smaps_rollup", ("Pss_Anon", "SwapPss")) + tables + max(files, shared)

    def _hold_on_cpus(self, threads: list[int]) -> None:
        for thread in threads if self._cpus else ():
            try:
                if not os.sched_getaffinity(thread) <= self._cpus:
                    os.sched_setaffinity(thread, self._cpus)
            except OSError:  # ended meanwhile
                continue

    def _tmpfs_bytes(self) -> int:
        if self._folder:
            return folder_bytes(self._folder)
        if self._tmpfs is None and self._init is not None:
            self._tmpfs = _open_tmpfs(self._init)
        used = 0
        for descriptor in self._tmpfs or ():
            state = os.fstatvfs(descriptor)
            used += (state.f_blocks - state.f_bfree) * state.f_frsize + (state.f_files - state.f_ffree) * _INODE
        return used

    def _sockets(self, pids: list[int]) -> int:
        """Sockets of the cage's own network, its UNIX sockets among them; at level 3 those that processes hold."""
        if self._folder:
            return _held_sockets(pids)
        if self._init is None or not self._own_network:
            return 0
        try:
            with open(f"/proc/{self._init}/net/sockstat", encoding="ascii") as file:
                return int(file.readline().rsplit(maxsplit=1)[-1])
        except (OSError, ValueError, IndexError):  # the cage has just ended
            return 0


def folder_bytes(folder: str) -> int:
    """What a folder's files take on disk; each entry counts with at least a block, so that many empty ones show."""
    total, waiting = 0, [folder]
    while waiting:
        try:
            entries = [*os.scandir(waiting.pop())]
        except OSError:
            continue
        for entry in entries:
            try:
                total += max(_BLOCK, entry.stat(follow_symlinks=False).st_blocks * 512)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
            except OSError:  # removed meanwhile
                continue
    return total


def _held_sockets(pids: list[int]) -> int:
    """Different sockets among the descriptors of these processes."""
    found = set()
    for pid in pids:
        try:
            descriptors = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for descriptor in descriptors:
            try:
                target = os.readlink(f"/proc/{pid}/fd/{descriptor}")
            except OSError:
                continue
            if target.startswith("socket:"):
                found.add(target)
    return len(found)


def processes_below(root: int) -> Iterator[tuple[int, list[int]]]:
    """Every descendant of a process, with its thread ids; those that end meanwhile are left out."""
    waiting = _children(root, _threads(root))
    while waiting:
        pid = waiting.pop()
        threads = _threads(pid)
        if threads:
            yield pid, threads
            waiting.extend(_children(pid, threads))


def _threads(pid: int) -> list[int]:
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _children(pid: int, threads: list[int]) -> list[int]:
    found: list[int] = []
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found.extend(map(int, file.read().split()))
        except OSError:
            continue
    return found


def _sum(pids: list[int], name: str, fields: tuple[str, ...]) -> int:
    """Add up fields, in bytes, of a file of kB lines in each process's /proc folder."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
                for line in file:
                    key, _, value = line.partition(":")
                    if key in fields:
                        total += int(value.split()[0]) * _KIB
        except OSError:
            continue
    return total


def _open_tmpfs(init: int) -> list[int] | None:
    """The cage's /tmp and /dev/shm, as soon as its process 1 has started the job (the mounts stand then)."""
    if not _children(init, _threads(init)):
        return None
    opened: list[int] = []
    for name in ("tmp", "dev/shm"):
        try:
            opened.append(os.open(f"/proc/{init}/root/{name}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        except OSError:  # the cage has just ended
            break
    return opened
