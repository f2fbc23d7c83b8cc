"""An array is read as NumPy reads it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from mop.scanning.findings import Verdict
from scanning.formats.reading import verdict
from security.hostile import named


def npy(descr: str, shape: str, data: bytes) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + data


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (npy("'<f4'", "(2,)", bytes(8)), Verdict.CLEAN),
        (npy("[('a', '<f4'), ('b', '<i4', (2,))]", "(2,)", bytes(24)), Verdict.CLEAN),
        (npy("'<f4'", "(2L,)", bytes(8)), Verdict.CLEAN),
        (npy("'<f4'", "(2,)", bytes(9)), Verdict.NOT_FULLY_SCANNED),
        (npy("'<f4'", "(3,)", bytes(8)), Verdict.NOT_FULLY_SCANNED),
        (npy("'object'", "(1,)", named("os", "system") + b"."), Verdict.INFECTED),
        (npy("[('a', [('b', 'O8')])]", "(1,)", named("os", "system") + b"."), Verdict.INFECTED),
    ],
)
def test_an_array_is_read_as_numpy_reads_it(tmp_path: Path, content: bytes, expected: Verdict):
    assert verdict(tmp_path, content).verdict == expected
