"""Turn a job into a command that runs it in the cage."""

from __future__ import annotations

import base64
import json
import math
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mop.sandbox.cgroups import Controller
from mop.sandbox.devices import DEVICES, gpu_devices
from mop.sandbox.host import host_cpus, host_memory_bytes
from mop.sandbox.job import Granted, Job, Limits, SandboxLevel
from mop.sandbox.mounts import CERTIFICATES, find_certificates, system_paths, view
from mop.sandbox.seccomp import filter_program

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_BUILD_FILE_BYTES = 16 * 1024**3  # one file in a writable mount
_THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    *("RAYON_NUM_THREADS", "PYTHON_CPU_COUNT"),
)


@dataclass(frozen=True)
class Sandbox:
    """A cage of a level that was seen to work here; made by `probe_sandbox` or `unconfined`.

    Attributes:
        level: how strong it is.
        runtime_folder: a folder of MOP's own, for the locks that keep jobs on different CPUs.
        bwrap: the bubblewrap program; None where the job shares the host's namespaces.
        controllers: the cgroup controllers in use; empty below level CGROUP.
        service_uid: the uid that jobs run as when MOP is root; None when MOP is an ordinary user.
        certificates: MOP's bundle of trusted certificates; None for the host's.
        landlock: the version of Landlock that holds a job at level LANDLOCK; else 0.
        devices: the folder of the host's device nodes.
    """

    level: SandboxLevel
    runtime_folder: Path
    bwrap: Path | None = None
    controllers: tuple[Controller, ...] = ()
    service_uid: int | None = None
    certificates: Path | None = None
    landlock: int = 0
    devices: Path = DEVICES

    @property
    def moves_mounts(self) -> bool:
        """Whether a mount may appear elsewhere than where it is."""
        return self.bwrap is not None

    @property
    def own_network(self) -> bool:
        """Whether a job without the host's network still has a loopback of its own."""
        return self.bwrap is not None

    @property
    def own_files(self) -> bool:
        """Whether all that a job without writable mounts can write lies in memory of its own, and goes with it."""
        return self.bwrap is not None

    def command(self, job: Job) -> list[str]:
        """A complete argv. Run it anywhere: stdin, stdout and stderr are the job's, the exit status is the job's own.

        It must be spawned from a thread that lives as long as the job may run: the job dies with that thread. SIGTERM
        ends the job at once. See `exit_codes` for the statuses of the cage itself.

        Raises:
            ValueError: the job cannot be expressed: targets that clash, NUL characters, no argv.
            FileNotFoundError: a mount's source does not exist.
            HostLostError: the host has fewer GPUs than the job needs.
        """
        _check_text(job)
        plan = json.dumps(self._plan(job), separators=(",", ":"))
        return [sys.executable, "-I", "-S", str(_SUPERVISOR), plan]

    def granted(self, limits: Limits) -> Granted:
        """What a job with these limits is really given here: the lesser of what it asks and what the host has."""
        cpus = limits.cpus if self._controls("cpu") else math.ceil(limits.cpus)
        return Granted(
            level=self.level,
            cpus=min(cpus, host_cpus()),
            memory_bytes=min(limits.memory_bytes, host_memory_bytes()),
            parts=self._parts(),
        )

    def make_writable(self, path: Path) -> None:
        """Give a folder and what is in it to the uid that jobs run as; nothing to do when MOP is an ordinary user."""
        if self.service_uid is None:
            return
        uid = self.service_uid
        os.chown(path, uid, uid, follow_symlinks=False)
        for _, folders, files, descriptor in os.fwalk(path, follow_symlinks=False):
            for name in (*folders, *files):
                if os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_uid != uid:
                    os.chown(name, uid, uid, dir_fd=descriptor, follow_symlinks=False)

    def _plan(self, job: Job) -> dict[str, Any]:
        limits = job.limits
        writable = self.level == SandboxLevel.NONE or any(mount.writable for mount in job.mounts)
        return {
            "argv": list(job.argv),
            "env": self._environment(job),
            "cwd": job.cwd,
            "label": job.label,
            "network": job.network,
            **self._file_system(job),
            "bwrap": str(self.bwrap) if self.bwrap else None,
            "seccomp": base64.b64encode(self._filter()).decode() if self.bwrap else "",
            "uid": self.service_uid,
            "cgroups": [list(controller) for controller in self.controllers],
            "watchdog": not self._controls("memory"),
            "watch_processes": bool(self.landlock),
            "affinity": 0 if self._controls("cpu") else math.ceil(limits.cpus),
            "limit_processes": not self._controls("pids"),
            "runtime_folder": str(self.runtime_folder),
            "cpus": limits.cpus,
            "memory_bytes": limits.memory_bytes,
            "processes": limits.processes,
            "open_files": limits.open_files,
            "tmpfs_bytes": limits.tmpfs_bytes,
            "file_bytes": _BUILD_FILE_BYTES if writable else limits.tmpfs_bytes,
            "seconds": limits.seconds,
        }

    def _file_system(self, job: Job) -> dict[str, Any]:
        devices = gpu_devices(job.gpus, self.devices)
        if self.bwrap is None:
            moved = [mount for mount in job.mounts if str(mount.source) != mount.target]
            if moved:
                raise ValueError(f"at level {self.level} {moved[0].source} cannot appear at {moved[0].target}")
            rules = self._rules(job, [str(source) for source, _ in devices]) if self.landlock else None
            return {"mounts": [], "devices": [], "symlinks": [], "files": [], "landlock": rules}
        seen = view(job.mounts, network=job.network, certificates=self.certificates)
        return {
            "mounts": [[str(mount.source), mount.target, mount.writable] for mount in seen.mounts],
            "devices": [[str(source.resolve(strict=True)), target] for source, target in devices],
            "symlinks": seen.symlinks,
            "files": seen.files,
            "landlock": None,
        }

    def _rules(self, job: Job, devices: list[str]) -> dict[str, Any]:
        bundle = find_certificates(self.certificates) if job.network else None
        own = [str(mount.source.resolve(strict=True)) for mount in job.mounts if not mount.writable]
        return {
            "version": self.landlock,
            "machine": platform.machine(),
            "readable": [*system_paths(network=job.network), *([str(bundle)] if bundle else []), *own],
            "writable": [
                *(str(mount.source.resolve(strict=True)) for mount in job.mounts if mount.writable),
                *devices,
            ],
            "mounts": [str(mount.source) for mount in job.mounts],
        }

    def _environment(self, job: Job) -> dict[str, str]:
        threads = str(max(1, int(self.granted(job.limits).cpus)))
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": "/tmp",  # noqa: S108 - the cage's own tmpfs
            "TMPDIR": "/tmp",  # noqa: S108 - the same
            "LANG": "C.UTF-8",
            "USER": "mop",
            "LOGNAME": "mop",
            **dict.fromkeys(_THREADS, threads),
            **({"SSL_CERT_FILE": CERTIFICATES} if job.network and self.bwrap else {}),
            **job.env,
        }

    def _parts(self) -> tuple[str, ...]:
        held = tuple(f"cgroup v{controller.version} {controller.name}" for controller in self.controllers)
        instead = (
            ("memory watchdog", self._controls("memory")),
            ("cpu affinity", self._controls("cpu")),
            ("process rlimit", self._controls("pids") or self.bwrap is None),
            ("process watchdog", not self.landlock),
            ("separate user", not self.landlock or self.service_uid is None),
        )
        missing = tuple(name for name, controlled in instead if not controlled)
        walls = ("bubblewrap", "seccomp") if self.bwrap else (f"Landlock {self.landlock}", "seccomp")
        return (*(walls if self.level else ()), *held, *missing, "rlimits")

    def _filter(self) -> bytes:
        count_memory = not self._controls("memory")
        return filter_program(machine=platform.machine(), count_memory=count_memory, sockets=True)

    def _controls(self, name: str) -> bool:
        return any(controller.name == name for controller in self.controllers)


def unconfined(*, runtime_folder: Path) -> Sandbox:
    """No cage (`--no-sandbox`): the job runs as MOP's own user and sees the host.

    Memory watchdog, CPU affinity, open files and deadline still hold. A mount's target must be its source.
    """
    runtime_folder.mkdir(parents=True, exist_ok=True)
    return Sandbox(SandboxLevel.NONE, runtime_folder)


def _check_text(job: Job) -> None:
    """Refuse NUL: it separates the options that bubblewrap reads."""
    if not job.argv:
        raise ValueError("a job needs an argv")
    texts = [*job.argv, job.cwd, *job.env, *job.env.values(), *(mount.target for mount in job.mounts)]
    if any("\0" in text for text in texts) or any(not name or "=" in name for name in job.env):
        raise ValueError(f"NUL in a text of the job {job.label!r}, or = in a variable's name")
