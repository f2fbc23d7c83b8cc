"""Ordinary folders give nothing above a note, whichever scanner looks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mop.scanning.findings import Severity, Verdict
from mop.scanning.scanners import NAMES
from scanning.looking import caged

SAMPLES = Path(__file__).parents[2] / "samples"

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("name", ["text-moderation", "image-redness", "image-and-text"])
def test_a_sample_is_clean(tmp_path: Path, name: str):
    folder = tmp_path / "folder"
    shutil.copytree(SAMPLES / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    report = caged(folder, *NAMES)
    assert report.incomplete == {}
    assert report.scanners == NAMES
    assert [finding for finding in report.findings if finding.severity != Severity.LOW] == []
    assert {file.verdict for file in report.files} == {Verdict.CLEAN}


def test_ordinary_model_files_are_no_matter_for_the_other_scanners(tmp_path: Path):
    from security.ordinary import ALL  # noqa: PLC0415 - scikit-learn and nltk: seconds that collecting does without

    for number, ordinary in enumerate(ALL):
        path = tmp_path / "folder" / "model" / f"{number:03}" / ordinary.file
        path.parent.mkdir(parents=True)
        ordinary.write(path)
    report = caged(tmp_path / "folder", *(name for name in NAMES if name != "model-files"))
    assert report.incomplete == {}
    assert [finding for finding in report.findings if finding.severity != Severity.LOW] == []
