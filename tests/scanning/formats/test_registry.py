"""What a file is, is told by its content; what is of no known format is never clean."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mop.scanning.findings import Severity, Verdict
from mop.scanning.formats import FORMATS, Head, format_of
from mop.scanning.look import FINDINGS_MAX
from scanning.formats.reading import looked_at
from security import hostile_kinds, ordinary
from security.hostile import plain, zipped
from support import formats_table


def test_the_page_lists_every_format():
    assert formats_table.written() == formats_table.table(), "run python tests/support/formats_table.py"


def test_every_format_says_what_it_is_for():
    assert len({one.name for one in FORMATS}) == len(FORMATS)
    assert all(one.name and one.runs and one.seen for one in FORMATS)


def test_every_module_of_a_format_has_a_file_of_tests():
    folder = Path(__file__).parent
    modules = {type(one).__module__.rpartition(".")[2] for one in FORMATS} | {"torch_script", "archived_python"}
    assert {name for name in modules if not (folder / f"test_{name}.py").is_file()} == set()


def test_what_no_format_recognises_is_said_so_and_warns(tmp_path: Path):
    content = b"\x07\x01" + random.Random(5).randbytes(5000)  # noqa: S311 - bytes of no meaning
    look = looked_at(tmp_path, content)
    assert look.verdict().verdict == Verdict.NOT_FULLY_SCANNED
    (finding,) = look.findings
    assert (finding.rule, finding.severity) == ("unknown-format", Severity.MEDIUM)


@pytest.mark.parametrize(
    "kind", [kind for kind in hostile_kinds.ALL if "bomb" not in kind.name], ids=lambda kind: kind.name
)
def test_no_kind_of_file_breaks_the_registry(kind: hostile_kinds.Hostile):
    content = kind.build("/tmp/marker")
    assert format_of(Head(content[:4096], len(content))) in FORMATS


def test_ordinary_files_are_of_known_formats(tmp_path: Path):
    unknown = []
    for number, one in enumerate(ordinary.ALL):
        path = tmp_path / f"{number}-{one.file}"
        one.write(path)
        content = path.read_bytes()
        if one.clean and format_of(Head(content[:4096], len(content))).name.startswith("unknown"):
            unknown.append(one.name)
    # protocols 0 and 1 have no header
    assert set(unknown) <= {"values, protocol 0", "values, protocol 1"}


def test_what_blocks_does_not_hide_behind_what_warns(tmp_path: Path):
    unknown = {f"a{number}": b"\x07\x01" + bytes([200]) * 50 for number in range(300)}
    look = looked_at(tmp_path, zipped(unknown | {"z.pkl": plain("/tmp/marker")}))
    assert {finding.severity for finding in look.findings} == {Severity.MEDIUM, Severity.CRITICAL}
    assert len(look.findings) == FINDINGS_MAX + 1
