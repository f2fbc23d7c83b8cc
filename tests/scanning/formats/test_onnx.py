"""Models of ONNX: data outside of the folder, operators of others, subgraphs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop.scanning.findings import Severity, Verdict
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile_structures import field


def onnx(node: bytes = b"", tensor: bytes = b"") -> bytes:
    return field(1, 8) + field(2, b"x") + field(7, field(1, node or field(4, b"Relu")) + field(5, tensor))


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
