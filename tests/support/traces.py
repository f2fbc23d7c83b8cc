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
    """Living processes whose command line, environment or working folder names `root`."""
    mark = os.fsencode(root)
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] in {"Z", "X"}:
                continue
            command = (entry / "cmdline").read_bytes()
            places = (command, _environment(entry), _working_folder(entry))
            if any(mark in place for place in places):
                found.append(Process(int(entry.name), command.replace(b"\0", b" ").decode(errors="replace").strip()))
    return found


def leases_of(runtime: Path) -> list[Path]:
    """Folders of services: each holds a lease and a socket."""
    return [path for path in runtime.glob("services/*") if path.is_dir()]


def mounts_of(root: Path) -> list[str]:
    """Mounts of this mount namespace that name `root`."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if str(root) in line]


def _environment(entry: Path) -> bytes:
    try:
        return (entry / "environ").read_bytes()
    except OSError:
        return b""


def _working_folder(entry: Path) -> bytes:
    try:
        return os.fsencode((entry / "cwd").readlink())
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
