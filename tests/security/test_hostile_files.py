"""What runs code when it is loaded is never called clean, and no file holds the scan up."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mop.scanning.findings import FileVerdict, ScanReport, Verdict
from mop.scanning.policy import decide
from mop.scanning.run import run_scanners
from mop.scanning.scanner import Subject
from security.hostile import Hostile
from security.hostile_kinds import ALL
from support.cage import scan_cage
from support.policies import default_policy

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("security-files")]

KINDS_MIN = 160
LOADING = Path(__file__).with_name("loading.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with one file of each kind; each in a folder of its own, named by its number."""
    folder = tmp_path_factory.mktemp("hostile")
    for number, kind in enumerate(ALL):
        path = _path(folder, number, kind)
        path.parent.mkdir(parents=True)
        path.write_bytes(kind.build(str(_marker(folder, number))))
    return folder


@pytest.fixture(scope="module")
def fired(folder: Path) -> set[str]:
    """Names of the kinds whose code ran when their files were loaded."""
    orders, markers = folder / "orders", folder / "markers"
    orders.mkdir()
    for number, kind in enumerate(ALL):
        _marker(folder, number).parent.mkdir(parents=True)
        if kind.loader:
            order = {"file": str(_path(folder, number, kind)), "loader": kind.loader}
            (orders / f"{number:03}.json").write_text(json.dumps(order), encoding="utf-8")
    subprocess.run([sys.executable, "-I", LOADING, orders], check=True, capture_output=True, cwd=markers)
    return {kind.name for number, kind in enumerate(ALL) if any(_marker(folder, number).parent.iterdir())}


@pytest.fixture(scope="module")
def report(folder: Path) -> tuple[ScanReport, float, int]:
    """The scan's report in the cage; the seconds that the slowest file took, and what the lines said."""
    began: list[tuple[float, str]] = []

    def progress(_scanner: str, path: str) -> None:
        began.append((time.monotonic(), path))

    subject = Subject(folder / "model-folder")
    report = asyncio.run(run_scanners(subject, cage=scan_cage(subject), log=lambda _line: None, progress=progress))
    began.append((time.monotonic(), ""))
    slowest = max(after[0] - before[0] for before, after in itertools.pairwise(began))
    return report, slowest, len(began)


def test_there_are_enough_kinds_that_really_run_code(fired: set[str]):
    silent = [kind.name for kind in ALL if kind.loader and kind.name not in fired]
    assert silent == []
    assert len(fired) >= KINDS_MIN


@pytest.mark.parametrize("number", range(len(ALL)), ids=[kind.name for kind in ALL])
def test_it_is_not_called_clean(report: tuple[ScanReport, float, int], folder: Path, number: int):
    assert _verdict(report[0], folder, number).verdict != Verdict.CLEAN


@pytest.mark.parametrize(
    "number", [number for number, kind in enumerate(ALL) if kind.loader], ids=[kind.name for kind in ALL if kind.loader]
)
def test_what_runs_code_is_infected_or_hides_its_names(
    report: tuple[ScanReport, float, int], folder: Path, number: int
):
    said = _verdict(report[0], folder, number)
    right = {Verdict.INFECTED, Verdict.SUSPICIOUS}
    if ALL[number].name.endswith("more than is parsed"):  # it blocks all the same
        right = {Verdict.NOT_FULLY_SCANNED}
    assert said.verdict in right, said


def test_what_runs_code_blocks_by_the_default_policy(
    report: tuple[ScanReport, float, int], folder: Path, fired: set[str]
):
    decision = decide(report[0], default_policy(), (), today=dt.date(2026, 1, 1))
    blocked = {finding.path.partition("!")[0] for finding in decision.blocked}
    paths = {
        kind.name: _path(folder, number, kind).relative_to(folder / "model-folder").as_posix()
        for number, kind in enumerate(ALL)
    }
    assert {name for name in fired if paths[name] not in blocked} == set()


def test_no_file_holds_it_up_or_ends_it(report: tuple[ScanReport, float, int]):
    scanned, slowest, _ = report
    assert scanned.incomplete == {}
    assert not [finding for finding in scanned.findings if finding.rule == "scanner-ended"]
    assert slowest < 60


def test_every_reason_names_the_file(report: tuple[ScanReport, float, int]):
    for file in report[0].files:
        assert all(file.path in reason for reason in file.reasons)


def _path(folder: Path, number: int, kind: Hostile) -> Path:
    return folder / "model-folder" / f"{number:03}" / kind.file


def _marker(folder: Path, number: int) -> Path:
    return folder / "markers" / f"{number:03}" / "fired"


def _verdict(report: ScanReport, folder: Path, number: int) -> FileVerdict:
    path = _path(folder, number, ALL[number]).relative_to(folder / "model-folder")
    (found,) = [file for file in report.files if file.path == os.fspath(path)]
    return found
