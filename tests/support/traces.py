"""What an installation leaves on the machine: processes, leases, control groups, mounts. All name its folder."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A living process that belongs to an installation."""

    pid: int
    command: str

    @property
    def cgroups(self) -> frozenset[Path]:
        """Folders of the job's control groups that it is in."""
        found = set()
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/cgroup").read_text(encoding="utf-8").splitlines():
                _, controllers, path = line.split(":", 2)
                if "/mop-" in path:
                    found |= {base / path.lstrip("/") for base in _bases(controllers)}
        return frozenset(found)


def processes_of(root: Path) -> list[Process]:
    """Living processes whose command line, environment or working folder names `root`.

    Tests ask again and again while they wait, so it reads no more than it must. Of a process that has ended and is not
    reaped yet all three are empty.
    """
    mark = os.fsencode(root)
    own = str(os.getpid())
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - see above
        if not name.isdigit() or name == own:
            continue
        with contextlib.suppress(OSError):
            command = _read(f"/proc/{name}/cmdline")
            if mark in command or mark in _environment(name) or mark in _working_folder(name):
                found.append(Process(int(name), command.replace(b"\0", b" ").decode(errors="replace").strip()))
    return found


def leases_of(runtime: Path) -> list[Path]:
    """Folders of services: each holds a lease and a socket."""
    return [path for path in runtime.glob("services/*") if path.is_dir()]


def mounts_of(root: Path) -> list[str]:
    """Mounts of this mount namespace that name `root`."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if str(root) in line]


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        content = b""
        while part := os.read(descriptor, 1 << 17):
            content += part
        return content
    finally:
        os.close(descriptor)


def _environment(pid: str) -> bytes:
    try:
        return _read(f"/proc/{pid}/environ")
    except OSError:
        return b""


def _working_folder(pid: str) -> bytes:
    try:
        return os.readlink(f"/proc/{pid}/cwd".encode())  # noqa: PTH115 - see `processes_of`
    except OSError:
        return b""


def _bases(controllers: str) -> list[Path]:
    """Where the control groups of these controllers are mounted; none named is version 2."""
    bases = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if (kind == "cgroup2" and not controllers) or (
            kind == "cgroup" and set(controllers.split(",")) <= set(options.split(","))
        ):
            bases.append(Path(before.split(" ")[4]))
    return bases
