"""Choose the CPUs of a job, apart from those of other jobs while there are enough.

A job holds a CPU by a lock on a file in the runtime folder; the kernel lets go of it when the supervisor ends.
"""

from __future__ import annotations

import fcntl
import os


def choose_cpus(count: int, folder: str) -> set[int]:
    """`count` of the CPUs that this process may use: free ones first, then shared ones. Locks those that were free."""
    allowed = sorted(os.sched_getaffinity(0))
    if count >= len(allowed):
        return set(allowed)
    turn = os.getpid() % len(allowed)  # shared ones are spread
    order = allowed[turn:] + allowed[:turn]
    chosen: list[int] = []
    for cpu in order:
        if len(chosen) < count and _lock(f"{folder}/cpu-{cpu}"):
            chosen.append(cpu)
    rest = [cpu for cpu in order if cpu not in chosen]
    return {*chosen, *rest[: count - len(chosen)]}


def _lock(path: str) -> bool:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True  # the descriptor stays open as long as this process lives
