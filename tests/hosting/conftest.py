"""The tools of this host: its best cage, its interpreters, its services."""

from __future__ import annotations

import dataclasses

import pytest
from django.conf import settings

from mop.errors import SandboxUnavailableError
from mop.hosting.tools import HostTools, open_host_tools
from mop.sandbox import SandboxLevel, probe_sandbox


@pytest.fixture(scope="session")
def host_tools() -> HostTools:
    return open_host_tools()


@pytest.fixture(params=[SandboxLevel.CGROUP, SandboxLevel.RLIMIT], ids=lambda level: level.name.lower())
def level_tools(request: pytest.FixtureRequest, host_tools: HostTools) -> HostTools:
    """The tools with their sandbox forced to a level; skips where this host can not give level 1."""
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
