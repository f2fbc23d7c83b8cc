"""Every sample through the whole verification: the good are verified, each broken one ends in its own error."""

from __future__ import annotations

import dataclasses
import fnmatch
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mop.hosting.configuration import Configuration
from mop.hosting.tools import HostTools
from mop.onboarding.contract import TaskInput, read_tasks
from mop.onboarding.verification import DEFAULT_CONFIGURATION, verify_folder
from mop.serving_options import ServerMode
from support.made_folders import MADE
from support.waiting import wait_for

from .conftest import SAMPLES, Recorder

BROKEN = SAMPLES / "broken"
VARIANTS = SAMPLES / "variants"
EXPECTED: dict[str, dict[str, Any]] = json.loads((BROKEN / "EXPECTED.json").read_text(encoding="utf-8"))
UNRULY: dict[str, dict[str, Any]] = json.loads((SAMPLES / "unruly" / "EXPECTED.json").read_text(encoding="utf-8"))

pytestmark = [pytest.mark.sandbox, pytest.mark.index, pytest.mark.timeout(180)]
# one xdist worker builds the few environments that the tests of a group share
GOOD, BAD = pytest.mark.xdist_group("gallery-good"), pytest.mark.xdist_group("gallery-bad")


def small(memory_mib: int) -> Configuration:
    """So that what takes all it can get ends soon."""
    return Configuration(cpus=1, memory_bytes=memory_mib << 20)


def hurried(tools: HostTools, late: str | None) -> HostTools:
    """With the deadline that a model is meant to miss short enough to wait for."""
    if late == "init":
        return dataclasses.replace(tools, init_deadline_s=5.0)
    return dataclasses.replace(tools, request_deadline_s=3.0) if late == "request" else tools


def tasks_of(path: Path) -> tuple[TaskInput, ...]:
    return read_tasks(path.read_text(encoding="utf-8"))


@GOOD
@pytest.mark.parametrize(
    ("name", "server"), [("text-moderation", "mop"), ("image-redness", "gunicorn"), ("image-and-text", "mop")]
)
async def test_a_sample_is_verified(name: str, server: str, host_tools: HostTools, recorder: Recorder) -> None:
    sample = json.loads((SAMPLES / f"{name}.sample.json").read_text(encoding="utf-8"))
    report = await verify_folder(
        SAMPLES / name,
        tools=host_tools,
        listener=recorder,
        tasks=tasks_of(SAMPLES / f"{name}.task.json"),
        sample=sample,
        configuration=dataclasses.replace(DEFAULT_CONFIGURATION, server=ServerMode(server)),
    )
    assert report.error is None, recorder.text()
    assert report.status == "verified"
    assert report.warnings == ()
    assert {stage.result for stage in report.stages} == {"passed"}


@GOOD
@pytest.mark.parametrize(
    "folder",
    [
        # the public release brings many packages, which are installed and scanned; as test_drop_in it is second tier
        pytest.param(path, marks=pytest.mark.second_tier if path.name == "pinned-mop-utils-2.0" else ())
        for path in sorted(VARIANTS.iterdir())
        if path.is_dir()
    ],
    ids=lambda path: path.name,
)
async def test_an_unusual_folder_is_verified(folder: Path, host_tools: HostTools, recorder: Recorder) -> None:
    report = await verify_folder(
        folder, tools=host_tools, listener=recorder, tasks=tasks_of(VARIANTS / "categorical.task.json")
    )
    assert report.error is None, recorder.text()
    assert report.status == "verified"


@BAD
@pytest.mark.parametrize("name", [name for name in sorted(EXPECTED) if not EXPECTED[name].get("violent")])
async def test_a_broken_folder_ends_in_its_own_error(
    name: str, host_tools: HostTools, recorder: Recorder, tmp_path: Path
) -> None:
    await assert_told(name, hurried(host_tools, EXPECTED[name].get("late")), recorder, tmp_path)


@BAD
@pytest.mark.second_tier
@pytest.mark.parametrize("name", [name for name in sorted(EXPECTED) if EXPECTED[name].get("violent")])
async def test_a_violent_model_is_held_and_told_at_each_level(
    name: str, level_tools: HostTools, recorder: Recorder, tmp_path: Path
) -> None:
    await assert_told(name, hurried(level_tools, EXPECTED[name].get("late")), recorder, tmp_path)


async def assert_told(name: str, tools: HostTools, recorder: Recorder, tmp_path: Path) -> None:
    """The folder ends in its error, whose message, place and hint are those that EXPECTED.json promises."""
    expected = EXPECTED[name]
    folder = tmp_path / name
    shutil.copytree(BROKEN / name, folder)
    for empty in expected.get("create_folders", ()):  # Git keeps no empty folders
        (folder / empty).mkdir(exist_ok=True)
    report = await verify_folder(
        folder,
        tools=tools,
        listener=recorder,
        tasks=tasks_of(BROKEN / expected["task"]),
        sample=json.loads((BROKEN / expected["sample"]).read_text(encoding="utf-8")),
        configuration=small(expected.get("memory_mib", 512)) if expected.get("violent") else None,
    )
    error = report.error
    assert error is not None, recorder.text()
    assert (error.name, error.hint) == (expected["error"], expected["hint"]), recorder.text()
    assert fnmatch.fnmatchcase(error.place or "", expected["place"]), recorder.text()
    assert expected["contains"] in error.message
    assert report.status == expected.get("status", "verifyFailed")
    assert report.stages[-1].result in {"failed", "skipped"}


@BAD
@pytest.mark.parametrize("name", sorted(MADE))
async def test_a_folder_that_git_can_not_hold_ends_in_its_own_error(
    name: str, host_tools: HostTools, recorder: Recorder, tmp_path: Path
) -> None:
    made = MADE[name]
    report = await verify_folder(
        made.make(tmp_path / name),
        tools=host_tools,
        listener=recorder,
        tasks=tasks_of(BROKEN / "categorical.task.json"),
    )
    error = report.error
    assert error is not None, recorder.text()
    assert (error.name, error.place, error.hint) == (made.error, made.place, made.hint)
    assert made.contains in error.message


@GOOD
@pytest.mark.parametrize("name", [name for name in sorted(UNRULY) if not UNRULY[name].get("violent")])
async def test_an_unruly_model_is_verified(name: str, host_tools: HostTools, recorder: Recorder) -> None:
    await assert_verified(name, host_tools, recorder)


@GOOD
@pytest.mark.second_tier
@pytest.mark.parametrize("name", [name for name in sorted(UNRULY) if UNRULY[name].get("violent")])
async def test_a_violent_but_right_model_is_verified_at_each_level(
    name: str, level_tools: HostTools, recorder: Recorder
) -> None:
    await assert_verified(name, level_tools, recorder)
    assert sum(len(line) for _, line in recorder.lines) < 10_000_000
    wait_for(lambda: not running("sleep", "86397"), seconds=30, what="the end of what the model left behind")


async def assert_verified(name: str, tools: HostTools, recorder: Recorder) -> None:
    report = await verify_folder(
        SAMPLES / "unruly" / name,
        tools=tools,
        listener=recorder,
        tasks=tasks_of(BROKEN / "categorical.task.json"),
        configuration=small(512),
    )
    assert report.error is None, recorder.text()
    assert report.status == "verified"
    warning = UNRULY[name]["warning"]
    assert [warning in told for told in report.warnings] == ([True] if warning else [])


def running(*argv: str) -> bool:
    """Whether any process of this machine, caged ones included, was started like that."""
    wanted = b"".join(part.encode() + b"\0" for part in argv)
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == wanted:
                return True
        except OSError:
            continue
    return False


@GOOD
async def test_without_tasks_the_status_is_undecided(host_tools: HostTools, recorder: Recorder) -> None:
    report = await verify_folder(VARIANTS / "helper-modules", tools=host_tools, listener=recorder, tasks=None)
    assert report.error is None, recorder.text()
    assert report.status == "undecided"
