"""What a host needs to run models: sandbox, environments, artifacts, services. Works without a database."""

from __future__ import annotations

import functools
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from uv import find_uv_bin

from mop.engine.host_lock import HostLock
from mop.environments import (
    BuildCommand,
    EnvironmentConfig,
    Interpreter,
    PythonDownloads,
    build_mop_utils_wheel,
    find_interpreters,
    usual_folders,
)
from mop.errors import SandboxUnavailableError
from mop.sandbox import (
    Job,
    Limits,
    Mount,
    Sandbox,
    SandboxLevel,
    find_certificates,
    probe_sandbox,
    python_mounts,
    unconfined,
)
from mop.serving.local_host import LocalServiceHost
from mop.serving.service import ServiceHost
from mop.storage import ArtifactStore

BUILD_MEMORY_BYTES = 8 * 1024**3
BUILD_PROCESSES = 1024
GIB = 1024**3
PYTHONS = "pythons"  # those that were fetched, below MOP_HOME


@dataclass(frozen=True)
class HostTools:
    """The tools of one host.

    Attributes:
        folder: model folders unpacked from the artifact store, one per digest.
        artifact_folder: where the artifact store lies.
        artifacts: the artifact store.
        environments: rules for building environments.
        sandbox: the cage; level NONE without one.
        network_folder: sockets of the proxies of models that may reach some hosts.
        host: starts model services.
        init_deadline_s: seconds a model may take to become ready.
        request_deadline_s: seconds a model may take for one request.
    """

    folder: Path
    artifact_folder: Path
    artifacts: ArtifactStore
    environments: EnvironmentConfig
    sandbox: Sandbox
    network_folder: Path
    host: ServiceHost
    init_deadline_s: float
    request_deadline_s: float

    def cage(self, command: BuildCommand) -> list[str]:
        """A build step's argv in the cage: it sees its own folders alone."""
        mounts = (
            *python_mounts(command.interpreter),
            *(Mount(path, str(path)) for path in command.readable),
            *(Mount(path, str(path), writable=True) for path in command.writable),
        )
        job = Job(
            argv=command.argv,
            mounts=mounts,
            env=command.env,
            cwd=str(command.cwd),
            limits=Limits(
                cpus=float(os.cpu_count() or 1),
                memory_bytes=BUILD_MEMORY_BYTES,
                processes=BUILD_PROCESSES,
                tmpfs_bytes=GIB,
                seconds=self.environments.build_seconds,
            ),
            network=command.network,
            label="build",
        )
        return self.sandbox.command(job)

    def prepare_writable(self, folder: Path) -> None:
        """Hand an empty folder to the user that the cage runs as."""
        self.sandbox.make_writable(folder)


def open_host_tools(*, sandbox: bool = True, python: Path | None = None) -> HostTools:
    """The tools of this host, as configured.

    Args:
        sandbox: False runs models and builds without a cage (`--no-sandbox`).
        python: offer this interpreter alone.

    Raises:
        SandboxUnavailableError: no cage of the configured minimum level works here; the hint says what is missing.
        SystemExit: MOP does not run models on this system.
    """
    if not sys.platform.startswith("linux"):
        raise SystemExit(
            "MOP runs models on Linux (WSL2 included). On this system use the portal, API and CLI of a server."
        )
    home: Path = settings.MOP_HOME
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    runtime = own_runtime_folder()
    cage = open_sandbox() if sandbox else unconfined(runtime_folder=runtime)
    return HostTools(
        folder=home / "models",
        artifact_folder=home / "artifacts",
        artifacts=ArtifactStore.local(home / "artifacts"),
        environments=_environment_config(home, python, proxy_folder=runtime / "indexes" if cage.own_network else None),
        sandbox=cage,
        network_folder=runtime / "hosts",
        host=LocalServiceHost(runtime / "services"),
        init_deadline_s=settings.MOP_INIT_DEADLINE,
        request_deadline_s=settings.MOP_REQUEST_DEADLINE,
    )


def host_lock() -> HostLock:
    """Who may work on this host now.

    Raises:
        SandboxUnavailableError: by `own_runtime_folder`.
    """
    return HostLock(own_runtime_folder() / "host")


def own_runtime_folder() -> Path:
    """The folder of sockets and leases, made when missing.

    Its default stands in /tmp under a name that anybody can guess: one that somebody else made there is refused.

    Raises:
        SandboxUnavailableError: it is not a folder, or another user's, or others may write in it.
    """
    folder: Path = settings.MOP_RUNTIME_FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SandboxUnavailableError(
            f"The runtime folder {folder} is not a folder that this user alone may write.",
            hint="Remove it, or set MOP_RUNTIME_FOLDER to a folder of your own.",
        )
    return folder


@functools.cache
def open_sandbox() -> Sandbox:
    """The best cage that works on this host; probed once per process.

    Raises:
        SandboxUnavailableError: none of the configured minimum level works here, or a weaker one is forced.
    """
    level, minimum = settings.MOP_SANDBOX_LEVEL, settings.MOP_SANDBOX_MINIMUM_LEVEL
    if level > minimum:
        raise SandboxUnavailableError(
            f"MOP_SANDBOX_LEVEL forces level {level}, which is weaker than the minimum level {minimum}.",
            hint="Set MOP_SANDBOX_MINIMUM_LEVEL to it as well if that is meant, or take MOP_SANDBOX_LEVEL away.",
        )
    return probe_sandbox(
        runtime_folder=own_runtime_folder(),
        minimum=SandboxLevel(minimum),
        forced=SandboxLevel(level) if level else None,
        service_uid=settings.MOP_SANDBOX_UID,
        certificates=_certificates(),
    )


def interpreter_folders() -> tuple[Path, ...]:
    """Where Pythons for model environments are looked for: configured folders, the usual places, MOP's own Python."""
    fetched = settings.MOP_HOME / PYTHONS
    usual = usual_folders([Path.home(), Path("/root")])
    return (*settings.MOP_INTERPRETER_FOLDERS, fetched, *usual, Path(sys.base_prefix))


def _environment_config(home: Path, python: Path | None, *, proxy_folder: Path | None) -> EnvironmentConfig:
    wheels = home / "wheels"
    build_mop_utils_wheel(wheels)
    found = find_interpreters([python.parent] if python else list(interpreter_folders()))
    interpreters: tuple[Interpreter, ...] = tuple(found)
    if python:
        real = python.resolve()
        interpreters = tuple(one for one in found if one.path.resolve() == real)
        if not interpreters:
            raise SystemExit(f"--python: {python} is not a CPython 3.8 or later, or belongs to a virtual environment")
    return EnvironmentConfig(
        root=home / "environments",
        uv=Path(find_uv_bin()),
        interpreters=interpreters,
        mop_utils_wheels=wheels,
        index_url=settings.MOP_PACKAGE_INDEX or None,
        allowed_indexes=tuple(settings.MOP_EXTRA_INDEXES),
        file_hosts=tuple(settings.MOP_INDEX_FILE_HOSTS),
        proxy_folder=proxy_folder,
        downloads=_downloads(home) if python is None else None,
        build_seconds=settings.MOP_BUILD_DEADLINE,
        wheel_bytes_max=settings.MOP_WHEEL_BYTES_MAX,
        # a cage without the host's network has no certificates but those that it is given
        certificates=find_certificates(_certificates()) if proxy_folder else _certificates(),
    )


def _downloads(home: Path) -> PythonDownloads | None:
    if not settings.MOP_PYTHON_DOWNLOADS:
        return None
    return PythonDownloads(home / PYTHONS, settings.MOP_PYTHON_MIRROR or None)


def _certificates() -> Path | None:
    bundle = settings.MOP_CERTIFICATE_BUNDLE
    return Path(bundle) if bundle else None
