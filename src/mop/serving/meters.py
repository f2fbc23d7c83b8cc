"""Reads what a service uses: its process tree, the disk below it, its GPUs."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mop.serving.gpus import Gpus
from mop.serving.service import UsageSample

MOST_PROCESSES = 10_000
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class ServiceMeter:
    """Everything about one service.

    Attributes:
        processes: its process tree.
        disk: any path on the disk that it reads from.
        gpus: those that it was given.
    """

    processes: ProcessTree
    disk: Path | None = None
    gpus: Gpus | None = None

    def __call__(self) -> UsageSample:
        gpu, gpu_memory = self.gpus.shares() if self.gpus is not None else (None, None)
        return UsageSample(
            at_ns=time.perf_counter_ns(),
            cpu_s=self.processes.cpu_s(),
            memory_bytes=self.processes.memory_bytes(),
            disk_busy_s=None if self.disk is None else disk_busy_s(self.disk),
            gpu=gpu,
            gpu_memory=gpu_memory,
        )


@dataclass(frozen=True)
class ProcessTree:
    """A process and all that descend from it; of those that ended, what their living parents were told of.

    Attributes:
        below: leave the process itself out, as the front of a service, which is no part of what the model is given.
    """

    root: int
    below: bool = False

    def cpu_s(self) -> float | None:
        """User and system time."""
        times = [time for pid in self.pids() if (time := _cpu_s(pid)) is not None]
        return sum(times) if times else None

    def memory_bytes(self) -> int | None:
        """Proportional set sizes: a page that several share is counted once; resident sizes where those are secret."""
        sizes = [size for pid in self.pids() if (size := _memory_bytes(pid)) is not None]
        return sum(sizes) if sizes else None

    def pids(self) -> list[int]:
        """Who lives now."""
        found: list[int] = []
        waiting = [self.root]
        while waiting and len(found) < MOST_PROCESSES:
            pid = waiting.pop()
            found.append(pid)
            waiting += _children(pid)
        return found[1:] if self.below else found


def disk_busy_s(path: Path) -> float | None:
    """Seconds in which the block device below a path had requests, since it was attached; None where it has none."""
    try:
        device = path.stat().st_dev
    except OSError:
        return None
    stat = _text(Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat"))
    return None if stat is None else int(stat.split()[9]) / 1000


def cpus_of(pids: Sequence[int]) -> set[int]:
    """The CPUs that processes may run on, together."""
    found: set[int] = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            found |= os.sched_getaffinity(pid)
    return found


def _children(pid: int) -> Iterator[int]:
    # each thread has its own list
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - twice a second, beside a measurement
            yield from map(int, (_text(Path(f"/proc/{pid}/task/{thread}/children")) or "").split())


def _cpu_s(pid: int) -> float | None:
    stat = _text(Path(f"/proc/{pid}/stat"))
    if stat is None:
        return None
    # after the command in parentheses, which may hold anything: utime, stime, and those of reaped children
    return sum(map(int, stat.rpartition(")")[2].split()[11:15])) / _TICKS


def _memory_bytes(pid: int) -> int | None:
    if (rollup := _text(Path(f"/proc/{pid}/smaps_rollup"))) is not None:
        for line in rollup.splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    statm = _text(Path(f"/proc/{pid}/statm"))
    return None if statm is None else int(statm.split()[1]) * _PAGE


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # it ended, or is not ours to read
        return None
