"""What runs in the cage: a command, the folders it may see, and what it may use."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MIB = 1024 * 1024


class SandboxLevel(enum.IntEnum):
    """How strong the cage is; 1 is the strongest, 0 is none at all (`--no-sandbox`)."""

    NONE = 0
    CGROUP = 1
    RLIMIT = 2
    LANDLOCK = 3


@dataclass(frozen=True)
class Limits:
    """What a job may use.

    Attributes:
        cpus: CPUs' worth of time, for example 4 or 0.5.
        memory_bytes: anonymous and shared memory of all processes, files on the cage's tmpfs included.
        processes: processes and threads together.
        open_files: file descriptors of one process.
        tmpfs_bytes: size of /tmp, and of /dev/shm.
        seconds: run time; None is without end.
    """

    cpus: float
    memory_bytes: int
    processes: int = 256
    open_files: int = 4096
    tmpfs_bytes: int = 256 * MIB
    seconds: float | None = None

    def __post_init__(self) -> None:
        """Refuse limits that nothing could run under."""
        numbers = (self.cpus, self.memory_bytes, self.processes, self.open_files, self.tmpfs_bytes)
        if min(numbers) <= 0 or (self.seconds is not None and self.seconds <= 0):
            raise ValueError(f"every limit must be above zero: {self}")


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host that the job sees at `target`, an absolute path.

    A mount may lie below another one's target. Never place one below a folder that strangers wrote: the mount
    point would be looked up through their symlinks.
    """

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True)
class Job:
    """A command for the cage.

    Attributes:
        argv: the command, by its path inside.
        mounts: everything it sees beside the system's libraries.
        env: its whole environment, beside a few defaults (PATH, HOME, LANG, thread counts) that it may override.
        cwd: the working folder inside.
        limits: what it may use.
        network: share the host's network; otherwise there is only a loopback of its own.
        label: names the job in messages and in its cgroup.
        gpus: GPUs that it needs; with any it sees the host's GPUs, without it sees none.
    """

    argv: tuple[str, ...]
    mounts: tuple[Mount, ...]
    limits: Limits
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/tmp"  # noqa: S108 - the cage's own tmpfs
    network: bool = False
    label: str = "job"
    gpus: int = 0


@dataclass(frozen=True)
class Granted:
    """What a job is really given on this host.

    Attributes:
        level: the cage's level.
        cpus: CPUs it can use.
        memory_bytes: memory it can use.
        parts: the mechanisms that hold it, for example ("bubblewrap", "cgroup v1 memory", "rlimits").
    """

    level: SandboxLevel
    cpus: float
    memory_bytes: int
    parts: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {**asdict(self), "level": int(self.level), "parts": list(self.parts)}
