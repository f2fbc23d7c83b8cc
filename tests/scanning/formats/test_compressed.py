"""Compressed streams, one behind the other, and what stands behind the last."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import random
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
@pytest.mark.parametrize("begins", [b"", b"\x1f", b"\x1f\x8b\x08", b"\x1f\x8b\x08" + bytes(7), b"BZh9", b"\x78\x9c"])
def test_what_is_no_further_stream_is_ambiguous(tmp_path: Path, pack: Pack, filling: int, begins: bytes):
    """Some readers stop in front of it, others refuse the file, and another takes it for the beginning."""
    look = looked_at(tmp_path, pack(ORDINARY) + bytes(filling) + begins + b"other bytes")
    assert look.verdict().verdict == Verdict.SUSPICIOUS
    assert rules(look) == {"ambiguous-structure"}


@BY_NAME
def test_a_pickle_behind_a_stream_is_found(tmp_path: Path, pack: Pack):
    assert "code-execution" in rules(looked_at(tmp_path, pack(ORDINARY) + plain(MARKER)))


@pytest.mark.parametrize("flags", range(0, 256, 2))
def test_a_header_of_gzip_is_read_as_python_reads_it(tmp_path: Path, flags: int):
    """Flags that nobody knows are passed over, and the checksum of the header is."""
    packed = gzip.compress(plain(MARKER))
    extra = b"\x03\0abc" if flags & 4 else b""
    texts = b"name\0" * ((flags >> 3 & 1) + (flags >> 4 & 1))
    content = packed[:3] + bytes([flags]) + packed[4:10] + extra + texts + bytes(flags & 2) + packed[10:]
    assert gzip.decompress(content) == plain(MARKER)
    assert rules(looked_at(tmp_path, content)) == {"code-execution"}


DAMAGED = {"code-execution", "not-fully-scanned", "ambiguous-structure"}


@BY_NAME
@pytest.mark.parametrize("place", [-2, -3, -4])
def test_what_stands_before_a_wrong_checksum_is_read_all_the_same(tmp_path: Path, pack: Pack, place: int):
    """Some readers give it to the loader before they look at the end, others look first."""
    content = bytearray(pack(plain(MARKER) + bytes(range(256)) * 2_000))
    content[place] ^= 1
    assert rules(looked_at(tmp_path, bytes(content))) >= DAMAGED


@BY_NAME
def test_what_stands_before_damage_in_a_small_stream_is_read_all_the_same(tmp_path: Path, pack: Pack):
    numbers = random.Random(3).randbytes(9_000)  # noqa: S311 - bytes of no meaning
    content = bytearray(pack(plain(MARKER) + numbers))
    content[-200:] = bytes(200)
    look = looked_at(tmp_path, bytes(content))
    if pack is bz2.compress:  # a block comes out whole, or not at all
        assert rules(look) == {"not-fully-scanned"}
    else:
        assert rules(look) >= {"code-execution", "not-fully-scanned"}


@BY_NAME
def test_a_stream_that_is_cut_off_is_not_fully_scanned(tmp_path: Path, pack: Pack):
    assert verdict(tmp_path, pack(ORDINARY)[:-9]).verdict == Verdict.NOT_FULLY_SCANNED
