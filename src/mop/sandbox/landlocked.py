"""The job of level LANDLOCK: no namespaces, so it stands among the host's processes and files and may touch none.

It has a private folder in place of the cage's own /tmp. Part of the supervisor.
"""
# pathlib would add a third to the supervisor's start-up
# ruff: noqa: PTH102, PTH118, PTH123, PTH208

from __future__ import annotations

import os
from typing import Any

from mop.sandbox import kernel, landlock, staging
from mop.sandbox.cgroups import is_orphan, kill, owner_prefix
from mop.sandbox.seccomp import filter_program

_INSIDE_TMP = "/tmp"  # noqa: S108 - what a job calls its private folder
_NULL = "/dev/null"
_NAME = "tmp"


def make_folder(plan: dict[str, Any]) -> str:
    """The job's private folder, which belongs to the user that it runs as."""
    folder = os.path.join(plan["runtime_folder"], f"{owner_prefix()}{_NAME}")
    os.mkdir(folder, 0o700)
    if plan["uid"] is not None:
        os.chown(folder, plan["uid"], plan["uid"])
    return folder


def remove_folder(folder: str) -> None:
    """Remove a private folder with what the job left in it; its processes have ended."""
    import shutil  # noqa: PLC0415 - a fifth of the supervisor's start-up

    shutil.rmtree(folder, ignore_errors=True)


def sweep_folders(runtime_folder: str) -> list[str]:
    """Remove the folders of supervisors that were killed, and kill what still names them; returns the names."""
    swept = [name for name in os.listdir(runtime_folder) if name.endswith(f"-{_NAME}") and is_orphan(name)]
    for name in swept:
        folder = os.path.join(runtime_folder, name)
        for pid in _users_of(folder):
            kill(pid)
        remove_folder(folder)
    return swept


def _users_of(folder: str) -> list[int]:
    found = []
    mark = os.fsencode(f"TMPDIR={folder}")
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if mark in file.read().split(b"\0"):
                        found.append(int(name))
            except OSError:
                continue
    return found


def prepare(plan: dict[str, Any], folder: str) -> tuple[list[str], dict[str, str]]:
    """Take from this process what the job must not have, but for the last step; returns its argv and environment.

    Raises:
        OSError: the kernel refuses a step.
    """
    rules = plan["landlock"]
    same_user = plan["uid"] is None
    if same_user:
        if os.getuid() == 0:
            kernel.drop_capabilities()
    else:
        staging.expose([*rules["mounts"], folder], plan["uid"])
        staging.become(plan["uid"])
    os.chdir(folder if plan["cwd"] == _INSIDE_TMP else plan["cwd"])
    os.setsid()
    return plan["argv"], {name: folder if value == _INSIDE_TMP else value for name, value in plan["env"].items()}


def close_behind(plan: dict[str, Any], folder: str) -> None:
    """The last step before the exec: from here on this process reaches the job's own files alone."""
    rules = plan["landlock"]
    landlock.restrict(
        rules["readable"],
        [*rules["writable"], folder, _NULL],
        version=rules["version"],
        network=plan["network"],
    )
    kernel.filter_calls(
        filter_program(
            machine=rules["machine"],
            count_memory=plan["watchdog"],
            sockets=plan["network"],
            host=(os.getpid(), plan["uid"] is None, rules["version"]),
        )
    )
