"""Compressed streams, one behind the other, and what stands behind the last."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from mop.scanning.findings import Verdict
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile import plain

MARKER = "/tmp/marker"
ORDINARY = pickle.dumps({"words": ["a", "b"] * 20_000})
Pack = Callable[[bytes], bytes]
PACKS: dict[str, Pack] = {
    "zlib": zlib.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda content: lzma.compress(content, format=lzma.FORMAT_ALONE),
    "gzip": gzip.compress,
}
BY_NAME = pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)


@BY_NAME
@pytest.mark.parametrize("filling", [0, 5, 40_000])
def test_an_ordinary_stream_is_clean_zeros_behind_it_too(tmp_path: Path, pack: Pack, filling: int):
    assert verdict(tmp_path, pack(ORDINARY) + bytes(filling)).verdict == Verdict.CLEAN


@BY_NAME
@pytest.mark.parametrize("filling", [0, 512])
def test_one_content_over_many_streams_is_read_whole(tmp_path: Path, pack: Pack, filling: int):
    content = plain(MARKER)
    parts = [pack(content[place : place + 7]) + bytes(filling) for place in range(0, len(content), 7)]
    assert "code-execution" in rules(looked_at(tmp_path, b"".join(parts)))


@BY_NAME
@pytest.mark.parametrize("filling", [0, 40_000])
def test_what_is_no_further_stream_is_never_clean(tmp_path: Path, pack: Pack, filling: int):
    look = looked_at(tmp_path, pack(ORDINARY) + bytes(filling) + b"other bytes")
    assert look.verdict().verdict == Verdict.NOT_FULLY_SCANNED


@pytest.mark.parametrize("name", ["zlib", "bz2", "xz", "lzma"])
def test_a_pickle_behind_a_stream_is_found(tmp_path: Path, name: str):
    assert "code-execution" in rules(looked_at(tmp_path, PACKS[name](ORDINARY) + plain(MARKER)))


@BY_NAME
def test_a_stream_that_is_cut_off_is_not_fully_scanned(tmp_path: Path, pack: Pack):
    assert verdict(tmp_path, pack(ORDINARY)[:-9]).verdict == Verdict.NOT_FULLY_SCANNED
