from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from mop.errors import SandboxUnavailableError
from mop.sandbox import Sandbox, SandboxLevel, probe_sandbox
from sandbox.cage import Cage


@pytest.fixture(scope="session")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[SandboxLevel], Sandbox]:
    """The sandbox forced to a level; skips where this host cannot give level 1."""
    made: dict[SandboxLevel, Sandbox | str] = {}

    def get(level: SandboxLevel) -> Sandbox:
        if level not in made:
            try:
                made[level] = probe_sandbox(runtime_folder=tmp_path_factory.mktemp("runtime"), forced=level)
            except SandboxUnavailableError as error:
                if level != SandboxLevel.CGROUP:
                    raise
                made[level] = error.message
        found = made[level]
        return found if isinstance(found, Sandbox) else pytest.skip(found)

    return get


@pytest.fixture(params=[SandboxLevel.CGROUP, SandboxLevel.RLIMIT], ids=lambda level: level.name.lower())
def sandbox(request: pytest.FixtureRequest, sandboxes: Callable[[SandboxLevel], Sandbox]) -> Sandbox:
    return sandboxes(request.param)


@pytest.fixture
def cage(sandbox: Sandbox) -> Iterator[Cage]:
    cage = Cage(sandbox, f"t{uuid.uuid4().hex[:12]}")
    yield cage
    assert cage.processes() == []
    assert cage.cgroups() == []
