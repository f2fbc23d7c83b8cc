"""Structured formats are parsed: what they name outside of themselves is told, ordinary ones are clean."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from mop.scanning.findings import Severity, Verdict
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile import named
from security.hostile_structures import field


def graph(*nodes: tuple[bytes, bytes]) -> bytes:
    inner = b"".join(field(1, field(1, name) + field(2, operation)) for name, operation in nodes)
    return field(1, 1) + field(2, field(2, inner))


def onnx(node: bytes = b"", tensor: bytes = b"") -> bytes:
    return field(1, 8) + field(2, b"x") + field(7, field(1, node or field(4, b"Relu")) + field(5, tensor))


@pytest.mark.parametrize("operation", [b"WriteFile", b"PyFunc", b"EagerPyFunc", b"DebugIdentityV2", b"SaveDatasetV2"])
def test_an_operation_that_writes_or_runs_blocks(tmp_path: Path, operation: bytes):
    look = looked_at(tmp_path, graph((b"a", b"Const"), (b"b", operation)))
    assert [(one.rule, one.severity) for one in look.findings] == [("graph-operation", Severity.CRITICAL)]


def test_an_operation_in_a_function_of_the_library_counts(tmp_path: Path):
    function = field(1, field(3, field(1, b"w") + field(2, b"WriteFile")))
    content = field(1, 1) + field(2, field(2, field(1, field(1, b"a") + field(2, b"Const")) + field(2, function)))
    assert rules(looked_at(tmp_path, content)) == {"graph-operation"}


def test_an_operation_that_reads_warns(tmp_path: Path):
    look = looked_at(tmp_path, graph((b"a", b"ReadFile")))
    assert look.findings[0].severity == Severity.HIGH


@pytest.mark.parametrize("place", [b"../w", b"/etc/passwd", b"a/../../w", b"C:\\w"])
def test_external_data_outside_of_the_folder_blocks(tmp_path: Path, place: bytes):
    tensor = field(8, b"w") + field(13, field(1, b"location") + field(2, place))
    assert rules(looked_at(tmp_path, onnx(tensor=tensor))) == {"external-data"}
    inner = field(8, b"w") + field(13, field(1, b"location") + field(2, b"weights.bin"))
    assert verdict(tmp_path, onnx(tensor=inner)).verdict == Verdict.CLEAN


def test_operators_of_other_domains_warn_and_those_of_python_block(tmp_path: Path):
    odd = looked_at(tmp_path, onnx(field(4, b"Thing") + field(7, b"my.domain")))
    assert [(one.rule, one.severity) for one in odd.findings] == [("custom-operator", Severity.MEDIUM)]
    python = looked_at(tmp_path, onnx(field(4, b"PyOp") + field(7, b"ai.onnx.contrib")))
    assert python.findings[0].severity == Severity.CRITICAL


def test_a_subgraph_is_followed(tmp_path: Path):
    inner = field(1, field(4, b"PyOp") + field(7, b"x"))
    node = field(4, b"If") + field(5, field(1, b"then_branch") + field(6, inner))
    assert rules(looked_at(tmp_path, onnx(node))) == {"custom-operator"}


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
