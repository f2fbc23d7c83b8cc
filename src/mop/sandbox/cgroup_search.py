"""Find the control groups that this process may use for its jobs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mop.sandbox.cgroups import CONTROLLERS, Controller, write


@dataclass(frozen=True)
class _MountPoint:
    kind: str  # cgroup (version 1) or cgroup2
    root: str  # the part of the hierarchy that is mounted
    path: Path
    options: frozenset[str]


def find_controllers(*, mountinfo: str | None = None, own: str | None = None) -> list[Controller]:
    """The memory, cpu and pids controllers below which this process can make groups; may be empty.

    Args:
        mountinfo: the text of /proc/self/mountinfo; read when None.
        own: the text of /proc/self/cgroup; read when None.
    """
    mounts = _mount_points(Path("/proc/self/mountinfo").read_text() if mountinfo is None else mountinfo)
    paths = _own_paths(Path("/proc/self/cgroup").read_text() if own is None else own)
    found: dict[str, Controller] = {}
    for mount in mounts:
        if mount.kind == "cgroup2":
            found.update(_version2(mount, paths.get("", "/")))
        else:
            found.update(_version1(mount, paths))
    return [found[name] for name in CONTROLLERS if name in found]


def _version1(mount: _MountPoint, paths: dict[str, str]) -> dict[str, Controller]:
    found = {}
    for name in mount.options.intersection(CONTROLLERS):
        own = _inside(mount, paths.get(name, "/"))
        base = next((folder for folder in (mount.path, own) if _may_make_groups(folder)), None)
        if base:
            found[name] = Controller(name, 1, str(base))
    return found


def _version2(mount: _MountPoint, own: str) -> dict[str, Controller]:
    """The nearest folder, from this process's own group upwards, whose children can have the memory controller."""
    folder = _inside(mount, own)
    while folder == mount.path or mount.path in folder.parents:
        if _may_make_groups(folder):
            _enable(folder)
            enabled = set((folder / "cgroup.subtree_control").read_text().split())
            if "memory" in enabled:
                return {name: Controller(name, 2, str(folder)) for name in CONTROLLERS if name in enabled}
        folder = folder.parent
    return {}


def _enable(folder: Path) -> None:
    """Ask for the controllers that are not lent yet; a group that holds processes itself refuses."""
    available = set((folder / "cgroup.controllers").read_text().split())
    enabled = set((folder / "cgroup.subtree_control").read_text().split())
    for name in (available - enabled).intersection(CONTROLLERS):
        try:
            write(str(folder / "cgroup.subtree_control"), f"+{name}")
        except OSError:
            continue


def _may_make_groups(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)


def _inside(mount: _MountPoint, path: str) -> Path:
    """Where a group of the hierarchy stands below the mount point; the mount point when it is not mounted there."""
    relative = path if mount.root == "/" else path.removeprefix(mount.root)
    folder = mount.path / relative.lstrip("/")
    return folder if ".." not in folder.parts and folder.is_dir() else mount.path


def _mount_points(mountinfo: str) -> list[_MountPoint]:
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind in {"cgroup", "cgroup2"}:
            root, path = left.split(" ")[3:5]
            found.append(_MountPoint(kind, root, Path(path), frozenset(options.split(","))))
    return found


def _own_paths(own: str) -> dict[str, str]:
    """This process's group for each version-1 controller, and under "" for version 2."""
    paths = {}
    for line in own.splitlines():
        _, names, path = line.split(":", 2)
        paths.update(dict.fromkeys(names.split(","), path))
    return paths
