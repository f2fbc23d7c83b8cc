"""Ordinary files come out clean: a scanner that cries wolf is switched off."""

from __future__ import annotations

import asyncio
import datetime as dt
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from mop.scanning.findings import ScanReport, Verdict
from mop.scanning.policy import decide
from mop.scanning.run import run_scanners
from mop.scanning.scanner import Subject
from support.cage import scan_cage
from support.policies import default_policy

pytestmark = [pytest.mark.sandbox, pytest.mark.xdist_group("security-ordinary")]


@pytest.fixture(scope="module")
def ordinary() -> ModuleType:
    """`security.ordinary`: scikit-learn and nltk are seconds that whoever collects the tests does without."""
    return import_module("security.ordinary")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, ordinary: ModuleType) -> ScanReport:
    folder = tmp_path_factory.mktemp("ordinary") / "model-folder"  # the cage's user may not enter pytest's own
    for number, one in enumerate(ordinary.ALL):
        path = folder / _path(number, one.file)
        path.parent.mkdir(parents=True)
        one.write(path)
    subject = Subject(folder)
    return asyncio.run(run_scanners(subject, cage=scan_cage(subject), log=lambda _line: None))


def test_there_are_enough_of_them(ordinary: ModuleType):
    assert len(ordinary.ALL) >= 150


def test_each_is_clean(report: ScanReport, ordinary: ModuleType):
    wrong = {}
    for number, one in enumerate(ordinary.ALL):
        (said,) = [file for file in report.files if Path(file.path) == _path(number, one.file)]
        if one.clean:
            right = (said.verdict, said.reasons) == (Verdict.CLEAN, ())
        else:
            right = said.verdict not in {Verdict.INFECTED, Verdict.SUSPICIOUS}
        if not right:
            wrong[one.name] = said
    assert wrong == {}


def test_none_makes_a_revision_vulnerable(report: ScanReport):
    assert report.incomplete == {}
    assert decide(report, default_policy(), (), today=dt.date(2026, 1, 1)).blocked == ()


def _path(number: int, file: str) -> Path:
    return Path(f"{number:03}", file)
