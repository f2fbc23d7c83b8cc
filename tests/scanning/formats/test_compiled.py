"""Programs are told, whatever their names are."""

from __future__ import annotations

import marshal
from pathlib import Path

import pytest

from mop.scanning.findings import Severity
from scanning.formats.reading import looked_at

CODE = marshal.dumps(compile("1", "a", "eval"))


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01\x01" + bytes(90),
        b"MZ" + bytes(90),
        b"\xcf\xfa\xed\xfe" + bytes(90),
        b"\xa7\r\r\n" + bytes(12) + CODE,
        b"\xcb\r\r\n\x01\0\0\0" + bytes(8) + CODE,
    ],
    ids=["ELF", "Windows", "macOS", "bytecode", "bytecode by a hash"],
)
def test_a_program_is_told_but_in_private_packages(tmp_path: Path, content: bytes):
    (finding,) = looked_at(tmp_path, content).findings
    assert (finding.rule, finding.severity) == ("compiled-code", Severity.MEDIUM)
    (tmp_path / "privatepkgs").mkdir()
    assert len(looked_at(tmp_path, content, "privatepkgs/x.so").findings) == (content[:2] in {b"\xa7\r", b"\xcb\r"})
