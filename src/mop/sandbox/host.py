"""What this host, or the container MOP runs in, has to give."""

from __future__ import annotations

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def host_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0))


def host_memory_bytes() -> int:
    """Memory of the host, or the container's limit where that is lower."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [_CGROUP / "memory.max", _CGROUP / "memory" / "memory.limit_in_bytes"]
    texts = [path.read_text().strip() for path in limits if path.is_file()]
    return min([total, *(int(text) for text in texts if text.isdecimal())])
