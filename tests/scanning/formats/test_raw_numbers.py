"""Bare numbers: every piece of them is of ordinary size, and searched."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from mop.scanning.findings import Verdict
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile import plain, zipped


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_numbers_are_clean_and_searched(tmp_path: Path, kind: str):
    numbers = np.random.default_rng(3).normal(0, 0.02, 200_000).astype(kind).tobytes()
    assert verdict(tmp_path, numbers).verdict == Verdict.CLEAN
    assert "code-execution" in rules(looked_at(tmp_path, numbers + plain("/tmp/marker") + numbers))


def test_other_bytes_behind_them_are_not(tmp_path: Path):
    content = bytes(4_000_000) + np.random.default_rng(3).bytes(1_000_000)
    assert verdict(tmp_path, content).verdict == Verdict.NOT_FULLY_SCANNED


@pytest.mark.parametrize("place", ["data/weights/weight_0", "data/constants/tensor_1", ".data/0.storage"])
def test_weights_of_torch_export_and_package_may_be_any_bytes_and_other_files(tmp_path: Path, place: str):
    def archive(content: bytes) -> bytes:
        return zipped({"m/.data/version": b"6\n", f"m/{place}": content})

    assert verdict(tmp_path, archive(b"\xaa\xa7\xb8> &V=\xe0\x0fk=")).verdict == Verdict.CLEAN
    assert (
        verdict(tmp_path, zipped({f"m/{place}": b"\xaa\xa7\xb8> &V=\xe0\x0fk="})).verdict == Verdict.NOT_FULLY_SCANNED
    )
    for content in (plain("/tmp/marker"), plain("/tmp/marker")[2:], zlib.compress(plain("/tmp/marker"))):
        assert "code-execution" in rules(looked_at(tmp_path, archive(content)))
