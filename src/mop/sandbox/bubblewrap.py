"""The bubblewrap command line of one job. Part of the supervisor."""

from __future__ import annotations

import base64
import os
from typing import Any

INNER_UID = 1000


def command(plan: dict[str, Any], sources: list[str], *, status: int, block: int) -> list[str]:
    """The argv; options go through a memory file, so that no process list, inside or outside, shows host paths.

    Args:
        plan: the supervisor's plan.
        sources: where the plan's mounts, and then its devices, stand for the uid that runs bubblewrap.
        status: descriptor on which bubblewrap tells what happened.
        block: descriptor on which it waits before it starts the job.
    """
    size = str(plan["tmpfs_bytes"])
    options = ["--unshare-all", *(["--share-net"] if plan["network"] else []), "--unshare-user", "--disable-userns"]
    options += ["--uid", str(INNER_UID), "--gid", str(INNER_UID), "--hostname", "mop", "--cap-drop", "ALL"]
    options += ["--die-with-parent", "--new-session", "--clearenv"]
    for name, value in plan["env"].items():
        options += ["--setenv", name, value]
    options += ["--perms", "1777", "--size", size, "--tmpfs", "/tmp"]  # noqa: S108 - before any bind below it
    for target, link in plan["symlinks"]:
        options += ["--symlink", link, target]
    options += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", size, "--tmpfs", "/dev/shm"]  # noqa: S108
    for target, text in plan["files"]:
        options += ["--ro-bind-data", str(_memory_file(text.encode())), target]
    kinds = [("--bind" if writable else "--ro-bind", target) for _, target, writable in plan["mounts"]]
    kinds += [("--dev-bind", target) for _, target in plan["devices"]]
    for (kind, target), source in zip(kinds, sources, strict=True):
        options += [kind, source, target]
    # bubblewrap's own tmpfs have no size: without this a job could fill the host's memory through / and /dev
    options += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", plan["cwd"]]
    # applied last, to the job alone: bubblewrap itself mounts and unshares
    options += ["--seccomp", str(_memory_file(base64.b64decode(plan["seccomp"])))]
    options += ["--json-status-fd", str(status), "--block-fd", str(block)]
    arguments = _memory_file("".join(f"{option}\0" for option in options).encode())
    return [plan["bwrap"], "--args", str(arguments), "--", *plan["argv"]]


def _memory_file(content: bytes) -> int:
    """A descriptor, kept over exec, of an anonymous file with this content, read from its start."""
    descriptor = os.memfd_create("mop", 0)
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
