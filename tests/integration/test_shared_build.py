"""A worker and `mop check` that need the same environment at once: one builds, the other waits and says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from environments.packages import PackageIndex, wheel
from support.installation import Installation
from support.model_folders import write_model
from support.waiting import wait_for

pytestmark = pytest.mark.sandbox

BUILDS = "builds environment"
WAITS = "waits for another build of the same environment"
SECONDS = 90.0


def start_check(mop: Installation, folder: Path) -> subprocess.Popen[bytes]:
    """`mop check` in the installation's own home; its output is that of `folder`'s name."""
    return mop.start(folder.name, [sys.executable, "-m", "mop.cli", "check", str(folder), "--verbose"])


def wait_for_line(mop: Installation, name: str, line: str) -> None:
    wait_for(lambda: line in mop.output(name), seconds=SECONDS, what=f"{line!r}", note=lambda: mop.output(name))


def test_a_check_waits_for_the_workers_build_and_uses_it(mop: Installation, index: PackageIndex) -> None:
    index.add(wheel("shared-one", "1.0"))
    index.gate.clear()
    mop.start_worker()
    folder = write_model(mop.folders / "shared-one", requirements="shared-one==1.0\n")
    revision = mop.submit(folder)
    wait_for(
        lambda: any(BUILDS in line for line in mop.log(revision, "build")), seconds=SECONDS, what="the worker builds"
    )
    check = start_check(mop, folder)
    wait_for_line(mop, folder.name, WAITS)
    index.gate.set()
    mop.wait(revision, "verified")
    assert check.wait(SECONDS) == 3, mop.output(folder.name)  # undecided: it was given no tasks
    assert "is there already" in mop.output(folder.name)
    assert BUILDS not in mop.output(folder.name)
    assert sum(BUILDS in line for line in mop.log(revision, "build")) == 1


@pytest.mark.second_tier
def test_a_worker_takes_over_from_a_check_that_is_killed_while_it_builds(
    mop: Installation, index: PackageIndex
) -> None:
    index.add(wheel("shared-two", "1.0"))
    index.gate.clear()
    mop.start_worker()
    folder = write_model(mop.folders / "shared-two", requirements="shared-two==1.0\n")
    check = start_check(mop, folder)
    wait_for_line(mop, folder.name, BUILDS)
    revision = mop.submit(folder)
    wait_for(
        lambda: WAITS in mop.log(revision, "build"),
        seconds=SECONDS,
        what="the worker waits",
        note=lambda: mop.story(revision),
    )
    mop.kill(check)
    index.gate.set()
    mop.wait(revision, "verified")
    assert sum(BUILDS in line for line in mop.log(revision, "build")) == 1
    mop.assert_each_status_once(revision)
