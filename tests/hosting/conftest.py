"""The tools of this host: its best cage, its interpreters, its services; and revisions to run with them."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings

from mop.environments import Environment
from mop.errors import SandboxUnavailableError
from mop.hosting import this_host
from mop.hosting.configuration import Configuration
from mop.hosting.jobs import RevisionJob, ServiceSpec
from mop.hosting.tools import HostTools, open_host_tools
from mop.sandbox import SandboxLevel, probe_sandbox
from mop.storage import SnapshotLimits, store_folder
from support.factories import make_model
from support.scans import keep_scan
from support.small_host import tools_in, with_environment

SMALL = Configuration(cpus=1, memory_bytes=256 << 20)

MakeJob = Callable[..., RevisionJob]


@pytest.fixture(scope="session")
def host_tools() -> HostTools:
    return open_host_tools()


@pytest.fixture(params=[SandboxLevel.CGROUP, SandboxLevel.RLIMIT], ids=lambda level: level.name.lower())
def level_tools(request: pytest.FixtureRequest, host_tools: HostTools) -> HostTools:
    """The tools with their sandbox forced to a level; skips where this host cannot give level 1."""
    level: SandboxLevel = request.param
    if host_tools.sandbox.level == level:
        return host_tools
    try:
        sandbox = probe_sandbox(runtime_folder=settings.MOP_RUNTIME_FOLDER, forced=level)
    except SandboxUnavailableError as error:
        if level != SandboxLevel.CGROUP:
            raise
        pytest.skip(error.message)
    return dataclasses.replace(host_tools, sandbox=sandbox)


@pytest.fixture(scope="session")
def root() -> Iterator[Path]:
    """Where everything of the tools of `built` lies."""
    folder = Path(tempfile.mkdtemp(prefix="mop-h-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def built(root: Path) -> tuple[HostTools, Environment]:
    """Tools with folders of their own, and the environment of models of `write_model`, built there."""
    return with_environment(tools_in(root))


@pytest.fixture
def make_job(db: None, built: tuple[HostTools, Environment], monkeypatch: pytest.MonkeyPatch) -> MakeJob:
    """Snapshots a model folder as a revision's; this process then works with the tools of `built`, or those given."""

    def make(
        folder: Path,
        *,
        tools: HostTools | None = None,
        configuration: Configuration = SMALL,
        allowed_hosts: tuple[str, ...] = (),
        is_scanned: bool = True,
    ) -> RevisionJob:
        tools = tools or built[0]
        monkeypatch.setattr(this_host, "_tools", tools)
        manifest = async_to_sync(store_folder)(folder, tools.artifacts, limits=SnapshotLimits(), log=print)
        revision = make_model().revisions.get()
        if is_scanned:
            keep_scan(revision, environment_digest=built[1].files)
        spec = ServiceSpec("service", owner="test", configuration=configuration, allowed_hosts=allowed_hosts)
        return RevisionJob(revision.pk, revision.attempt, manifest.digest, spec)

    return make
