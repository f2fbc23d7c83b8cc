"""A real workshop: the best cage of this machine, environments built from the package index, models served."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from django.conf import settings

from mop.errors import SandboxUnavailableError
from mop.onboarding.verification import StageResult
from mop.onboarding.workshop import Workshop, open_workshop
from mop.sandbox import SandboxLevel, probe_sandbox

SAMPLES = Path(__file__).parents[2] / "samples"


class Recorder:
    """Keeps what a verification tells."""

    def __init__(self) -> None:
        self.stages: list[StageResult] = []
        self.lines: list[tuple[str, str]] = []

    def stage_started(self, name: str) -> None:
        pass

    def stage_ended(self, result: StageResult) -> None:
        self.stages.append(result)

    def log(self, stage: str, line: str) -> None:
        self.lines.append((stage, line))

    def text(self) -> str:
        return "\n".join(f"{stage}: {line}" for stage, line in self.lines)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(scope="session")
def host_workshop() -> Workshop:
    return open_workshop()


@pytest.fixture(params=[SandboxLevel.CGROUP, SandboxLevel.RLIMIT], ids=lambda level: level.name.lower())
def level_workshop(request: pytest.FixtureRequest, host_workshop: Workshop) -> Workshop:
    """The workshop with its sandbox forced to a level; skips where this host can not give level 1."""
    level: SandboxLevel = request.param
    if host_workshop.sandbox.level == level:
        return host_workshop
    try:
        sandbox = probe_sandbox(runtime_folder=settings.MOP_RUNTIME_FOLDER, forced=level)
    except SandboxUnavailableError as error:
        if level != SandboxLevel.CGROUP:
            raise
        pytest.skip(error.message)
    return dataclasses.replace(host_workshop, sandbox=sandbox)
