"""SECURITY.md names the test of each promise; those tests exist."""

from __future__ import annotations

import re
from pathlib import Path

from mop.conf.options import OPTIONS, VARIABLES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_test_that_security_md_names_exists():
    files = re.findall(r"`(tests/[\w/]+\.py)`", PAGE)
    assert [file for file in files if not (ROOT / file).is_file()] == []
    written = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    names = re.findall(r"`(test_\w+)`", PAGE)
    assert len(names) > 15
    assert [name for name in names if f"def {name}(" not in written] == []


def test_every_row_of_the_threat_model_is_shown_by_something():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| who", "| ---"))]
    assert len(rows) > 15
    assert [row for row in rows if "`t" not in row.rsplit("|", 2)[1]] == []


def test_every_setting_that_security_md_names_exists():
    known = {option.name for option in OPTIONS} | {name for name, _, _ in VARIABLES}
    assert set(re.findall(r"MOP_[A-Z_]*[A-Z]", PAGE)) <= known
