"""The tools of a host: the best cage of this machine, environments built from the package index, models served."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosting.conftest import host_tools, level_tools  # noqa: F401 - fixtures
from mop.onboarding.verification import StageResult

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
