"""The sample datasets are what the guide of datasets describes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mop.cli.main import run

DATASETS = Path(__file__).parents[2] / "samples" / "datasets"
OPTIONS = {
    "text": ("--modality", "Text", "--label", "is_profane", "--group-column", "source"),
    "image": ("--modality", "Image", "--label", "is_red"),
    "image-and-text": (
        "--modality",
        "ImageAndText",
        "--label",
        "is_attempt",
        "--label-type",
        "Multi-label",
        "--labels",
        "no,yes",
    ),
}


@pytest.mark.parametrize("name", sorted(folder.name for folder in DATASETS.iterdir()))
def test_a_sample_dataset_passes_the_check(name: str, capsys: pytest.CaptureFixture[str]):
    code = run(["dataset", "check", str(DATASETS / name / "dataset.csv"), *OPTIONS[name], "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (code, found["faults"], found["warnings"]) == (0, [], [])
    [shares] = found["labels"].values()
    assert len(shares) == 2
