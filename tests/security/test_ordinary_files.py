"""Ordinary files come out clean: a scanner that cries wolf is switched off."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from mop.scanning.findings import ScanReport, Verdict
from mop.scanning.policy import decide, default_policy
from mop.scanning.run import run_scanners
from mop.scanning.scanner import Subject
from security.ordinary import ALL, Ordinary
from support.cage import scan_cage

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("security-ordinary")]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ScanReport:
    folder = tmp_path_factory.mktemp("ordinary") / "model-folder"  # the cage's user may not enter pytest's own
    for number, ordinary in enumerate(ALL):
        path = folder / _path(number, ordinary)
        path.parent.mkdir(parents=True)
        ordinary.write(path)
    subject = Subject(folder)
    return asyncio.run(run_scanners(subject, cage=scan_cage(subject), log=lambda _line: None))


def test_there_are_enough_of_them():
    assert len(ALL) >= 150


@pytest.mark.parametrize("number", range(len(ALL)), ids=[ordinary.name for ordinary in ALL])
def test_it_is_clean(report: ScanReport, number: int):
    (said,) = [file for file in report.files if Path(file.path) == _path(number, ALL[number])]
    if ALL[number].clean:
        assert (said.verdict, said.reasons) == (Verdict.CLEAN, ())
    else:
        assert said.verdict not in {Verdict.INFECTED, Verdict.SUSPICIOUS}


def test_none_makes_a_revision_vulnerable(report: ScanReport):
    assert report.incomplete == {}
    assert decide(report, default_policy(), (), today=dt.date(2026, 1, 1)).blocked == ()


def _path(number: int, ordinary: Ordinary) -> Path:
    return Path(f"{number:03}", ordinary.file)
