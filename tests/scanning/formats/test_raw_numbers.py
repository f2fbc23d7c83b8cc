"""Bare numbers: every piece of them is of ordinary size, and searched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mop.scanning.findings import Verdict
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile import plain


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_numbers_are_clean_and_searched(tmp_path: Path, kind: str):
    numbers = np.random.default_rng(3).normal(0, 0.02, 200_000).astype(kind).tobytes()
    assert verdict(tmp_path, numbers).verdict == Verdict.CLEAN
    assert "code-execution" in rules(looked_at(tmp_path, numbers + plain("/tmp/marker") + numbers))


def test_other_bytes_behind_them_are_not(tmp_path: Path):
    content = bytes(4_000_000) + np.random.default_rng(3).bytes(1_000_000)
    assert verdict(tmp_path, content).verdict == Verdict.NOT_FULLY_SCANNED
