"""What jobs can do in the cage of each level is what docs/sandbox.md says: the same program tries it here."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mop.environments import Environment
from mop.errors import SandboxUnavailableError
from mop.hosting.tools import HostTools
from mop.sandbox import SandboxLevel
from security.escapes import PAGE, documented, measure
from support.small_host import at_level, tools_in, with_environment

# one process builds the environment that they share
pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("escape"), pytest.mark.timeout(180)]

DOCUMENTED = documented(PAGE.read_text(encoding="utf-8"))
# all that a job may do at levels 1 and 2, whatever else is tried
ITS_OWN = {
    "write its temporary folder": "yes",
    "write `/dev/shm`": "yes",
    "write a folder to build in": "build",
    "use a loopback of its own": "yes",
    "read MOP's code": "scan",
}


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """A short path: sockets stand below it."""
    folder = Path(tempfile.mkdtemp(prefix="mop-e-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def built(root: Path) -> tuple[HostTools, Environment]:
    return with_environment(tools_in(root))


@pytest.mark.parametrize("level", list(SandboxLevel)[1:], ids=lambda level: level.name.lower())
def test_every_job_can_do_what_the_table_says_and_nothing_else(
    level: SandboxLevel, built: tuple[HostTools, Environment], root: Path
):
    tools, environment = built
    try:
        caged = at_level(tools, level, root)
    except SandboxUnavailableError as error:
        if level != SandboxLevel.CGROUP:
            raise
        pytest.skip(error.message)
    assert measure(caged, environment, root / level.name) == DOCUMENTED[level]


def test_level_3_is_no_weaker_as_mops_own_user_and_with_the_oldest_landlock(
    built: tuple[HostTools, Environment], root: Path
):
    tools = at_level(built[0], SandboxLevel.LANDLOCK, root)
    weakest = replace(tools.sandbox, service_uid=None, landlock=1)
    assert measure(replace(tools, sandbox=weakest), built[1], root / "weakest") == DOCUMENTED[SandboxLevel.LANDLOCK]


@pytest.mark.parametrize("level", [1, 2])
def test_at_levels_1_and_2_the_table_leaves_a_job_its_own_folders_and_loopback_alone(level: int):
    assert {what: who for what, who in DOCUMENTED[level].items() if who != "no"} == ITS_OWN
