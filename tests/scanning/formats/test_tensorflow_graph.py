"""Graphs of TensorFlow: operations that run code, write or read, wherever they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop.scanning.findings import Severity
from scanning.formats.reading import looked_at, rules
from security.hostile_structures import field


def graph(*nodes: tuple[bytes, bytes]) -> bytes:
    inner = b"".join(field(1, field(1, name) + field(2, operation)) for name, operation in nodes)
    return field(1, 1) + field(2, field(2, inner))


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
