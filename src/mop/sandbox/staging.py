"""Make mount sources reachable for the service uid, in a mount namespace of the child's own.

A source may lie below a folder that only root can enter (root's home is 0700, and pyenv lies in it). Part of the
supervisor; runs as host root in the forked child.
"""
# pathlib would add a third to the supervisor's start-up
# ruff: noqa: PTH102, PTH103, PTH116, PTH120

from __future__ import annotations

import os
import stat

from mop.sandbox import kernel

_STAGE = "/tmp"  # noqa: S108 - of the private namespace; bubblewrap needs a /tmp on the host too


def stage(sources: list[str]) -> list[str]:
    """Bind every source below a fresh tmpfs on /tmp; returns their places there, in order.

    Raises:
        OSError: a source does not exist, or this process may not mount.
    """
    kernel.unshare_mounts()
    opened = [os.open(source, os.O_PATH | os.O_CLOEXEC) for source in sources]  # before the tmpfs hides any of them
    kernel.mount("mop-stage", _STAGE, kind="tmpfs", flags=kernel.MS_NOSUID | kernel.MS_NODEV, options="mode=0755")
    places = []
    for number, descriptor in enumerate(opened):
        place = f"{_STAGE}/{number}"
        _bind(descriptor, place)
        os.close(descriptor)
        places.append(place)
    return places


def expose(paths: list[str], uid: int) -> None:
    """Make these paths reachable for the uid under their own names, in a mount namespace of the child's own.

    Where a folder on the way cannot be entered by everybody, it is covered by an empty one in which only the paths
    stand.

    Raises:
        OSError: this process may not mount.
    """
    wanted = {name for path in paths for name in (path, os.path.realpath(path))}
    hidden = {path: closed for path in wanted if (closed := _closed_folder(path, uid))}
    if not hidden:
        return
    kernel.unshare_mounts()
    opened = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in hidden}
    for folder in sorted(set(hidden.values())):
        kernel.mount("mop-cover", folder, kind="tmpfs", flags=kernel.MS_NOSUID | kernel.MS_NODEV, options="mode=0755")
    for path in sorted(opened):
        if not os.path.lexists(path):  # else it came with a folder above it
            _bind(opened[path], path)
        os.close(opened[path])


def _closed_folder(path: str, uid: int) -> str:
    """The first folder on the way to a path that the uid cannot enter, or ""."""
    folders = path.split("/")[1:-1]
    for count in range(1, len(folders) + 1):
        folder = "/" + "/".join(folders[:count])
        state = os.stat(folder)
        if not state.st_mode & (stat.S_IXUSR if state.st_uid == uid else stat.S_IXOTH):
            return folder
    return ""


def _bind(descriptor: int, place: str) -> None:
    """Mount what is open at a place that is made for it."""
    os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.mkdir(place, 0o755)
    else:
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    kernel.mount(f"/proc/self/fd/{descriptor}", place, flags=kernel.MS_BIND | kernel.MS_REC)


def become(uid: int) -> None:
    """Drop from root to the service uid for good: groups, gid and uid; the capabilities go with the uid."""
    os.umask(0o022)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
