from __future__ import annotations

import re
from pathlib import Path

from mop.datasets.reading import FaultKind
from mop.datasets.reading.spec import INPUT_COLUMNS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")


def test_the_page_lists_every_kind_of_fault_with_its_words():
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.*?) \| (.*?) \|$", PAGE.partition("## Faults")[2], flags=re.MULTILINE)
    assert rows == [(kind.name_in_report, kind.title, kind.hint) for kind in FaultKind]


def test_the_page_names_every_input_column():
    for modality, columns in INPUT_COLUMNS.items():
        (row,) = re.findall(rf"^\| `{modality}` \| (.*) \|$", PAGE, flags=re.MULTILINE)
        assert all(f"`{column}`" in row for column in columns)


def test_names_of_faults_are_different():
    assert len({kind.name_in_report for kind in FaultKind}) == len(FaultKind)
