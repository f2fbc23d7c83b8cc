"""Tensors follow each other and fill the file."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from mop.scanning.findings import Verdict
from scanning.formats.reading import verdict
from security.hostile import named


def safetensors(header: dict[str, object], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    ("header", "data", "expected"),
    [
        ({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(8), Verdict.CLEAN),
        ({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(9), Verdict.NOT_FULLY_SCANNED),
        ({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(4), Verdict.NOT_FULLY_SCANNED),
        ({"w": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, bytes(12), Verdict.NOT_FULLY_SCANNED),
        ({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, bytes(8), Verdict.NOT_FULLY_SCANNED),
    ],
    ids=["whole", "more", "less", "gap", "size"],
)
def test_tensors_fill_the_file(tmp_path: Path, header: dict[str, object], data: bytes, expected: Verdict):
    assert verdict(tmp_path, safetensors(header, data)).verdict == expected


def test_a_pickle_among_numbers_is_found(tmp_path: Path):
    payload = b"\x80\x04" + named("os", "system") + b"(X\x01\0\0\0atR."
    data = bytes(64) + payload + bytes(64)
    header = {"w": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}
    assert verdict(tmp_path, safetensors(header, data)).verdict == Verdict.INFECTED
