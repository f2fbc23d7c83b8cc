"""Pickles in files: one behind the other, with a header and without one, and what stands behind them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mop.scanning.findings import Verdict
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile import plain


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_is_followed(tmp_path: Path, protocol: int):
    assert rules(looked_at(tmp_path, plain("/tmp/marker", protocol))) == {"code-execution"}
    ordinary = pickle.dumps({"a": [1, 2.5, None, "é"]}, protocol)
    assert verdict(tmp_path, ordinary).verdict == Verdict.CLEAN


def test_one_behind_another_is_followed(tmp_path: Path):
    assert verdict(tmp_path, pickle.dumps(1) * 3).verdict == Verdict.CLEAN
    assert rules(looked_at(tmp_path, pickle.dumps(1) * 3 + plain("/tmp/marker"))) == {"code-execution"}


def test_what_is_none_behind_it_and_one_that_is_cut_off_are_never_clean(tmp_path: Path):
    assert verdict(tmp_path, pickle.dumps({}) + b"\xff\xff").verdict == Verdict.NOT_FULLY_SCANNED
    assert verdict(tmp_path, pickle.dumps({"a": "b" * 99})[:-3]).verdict == Verdict.NOT_FULLY_SCANNED
