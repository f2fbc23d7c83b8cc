"""A file that exhausts what a scan may take hides no other, and costs no more than its size is worth."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mop.scanning.findings import ScanReport, Severity, Verdict
from mop.scanning.limits import ScanLimits
from mop.scanning.pickles import machine
from mop.scanning.pickles.search import Search
from mop.scanning.scanner import Looking, Subject
from mop.scanning.scanners.model_files import ModelFiles
from scanning.looking import scanned, write
from security.hostile import STOP, plain, text, zipped

MARKER = "/tmp/marker"


def test_one_file_that_exhausts_its_limits_does_not_hide_another(tmp_path: Path):
    members = {str(number): b"a" * 1000 for number in range(200)}
    write(tmp_path, {"model/a.zip": zipped(members), "model/b.pkl": plain(MARKER)})
    report = scanned(ModelFiles(), Subject(tmp_path, limits=ScanLimits(members=10)))
    verdicts = {file.path: file.verdict for file in report.files}
    assert verdicts == {"model/a.zip": Verdict.NOT_FULLY_SCANNED, "model/b.pkl": Verdict.INFECTED}


def test_the_kinds_that_run_code_are_read_first(tmp_path: Path):
    write(tmp_path, {"a.txt": "a", "b.png": b"\x89PNG\r\n\x1a\n", "c.zip": zipped({}), "d.pkl": plain(MARKER)})
    order = [step.path for step in ModelFiles().scan(Subject(tmp_path)) if isinstance(step, Looking)]
    assert order == ["d.pkl", "c.zip", "a.txt", "b.png"]


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02" * 200_000,
        b"\x80\x04\x8c\x02os" * 60_000,
        b"c" * 400_000,
        b"cos\n" * 100_000,
        b"\x8c\x02os\x94" * 80_000,
        b"(" * 400_000,
        b"V" * 400_000,
        b"PK\x05\x06" * 100_000,
        b"PK\x01\x02" * 100_000,
        b'{"a":' * 80_000,
        b"[" * 400_000,
        b"- !!python/x " * 30_000,
        b"<" * 400_000,
        b'{"chat_template": "' + b"{{ (" * 60_000 + b'"}',
        b'{"auto_map": ["' + b'\\"' * 200_000,
        b'{"auto_map": ["' + b"\\" * 400_000,
    ],
)
def test_structures_that_are_made_to_cost_time_are_read_in_time(tmp_path: Path, content: bytes):
    write(tmp_path, {"model/m.bin": content})
    report = scanned(ModelFiles(), Subject(tmp_path, limits=ScanLimits(seconds=20)))
    assert isinstance(report, ScanReport)
    assert not report.depends_on_host


def test_a_search_follows_so_many_signs_and_no_more():
    search = Search()
    search.feed(b"\x8c\x02os(" * 200_000)
    search.end()
    assert search.is_costly


@pytest.mark.parametrize("cut", [1, 7, 300, 4096])
def test_a_search_finds_what_lies_over_the_ends_of_chunks(cut: int):
    content = bytes(300_000) + plain(MARKER) + bytes(300_000)
    search = Search()
    for at in range(0, len(content), 65536 + cut):
        search.feed(content[at : at + 65536 + cut])
    search.end()
    assert [str(hit.name) for hit in search.hits] == ["posix.system"]
    assert search.hits[0].position in range(300_000, 300_000 + len(plain(MARKER)))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chat_template.jinja", b" " * 300_000 + b"{{ ''.__class__ }}"),
        ("config.json", b'{"chat_template": "' + b" " * 300_000 + b"{{ ''.__class__ }}\"}"),
    ],
)
def test_a_template_that_is_too_long_to_be_read_whole_blocks(tmp_path: Path, name: str, content: bytes):
    write(tmp_path, {f"model/{name}": content})
    assert "costly-structure" in {finding.rule for finding in scanned(ModelFiles(), tmp_path).findings}


def test_a_pickle_that_fills_its_stack_blocks(tmp_path: Path):
    write(tmp_path, {"model/m.pkl": b"\x80\x04" + b")" * 2_200_000})
    report = scanned(ModelFiles(), tmp_path)
    assert "costly-structure" in {finding.rule for finding in report.findings}


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02" * 8192,  # it has no end, and each place of it is a beginning
        b"\x80\x02" * 8192 + b"N.",
        b"N0" + b"\x80\x04N0" * 20 + b"N.",  # without a header
        b"\x80\x04N." * 3 + b"\x80\x04(" * 20,  # behind others
        b"\x80\x04N." * 120_000,
    ],
)
def test_a_pickle_that_begins_again_and_again_blocks(tmp_path: Path, content: bytes):
    write(tmp_path, {"model/m.bin": content})
    report = scanned(ModelFiles(), tmp_path)
    assert {("costly-structure", Severity.CRITICAL)} <= {(one.rule, one.severity) for one in report.findings}
    assert [file.verdict for file in report.files] == [Verdict.NOT_FULLY_SCANNED]


def test_what_hides_behind_many_beginnings_is_found(tmp_path: Path):
    write(tmp_path, {"model/m.bin": b"\x80\x02" * 8192 + plain(MARKER)})
    assert "code-execution" in {finding.rule for finding in scanned(ModelFiles(), tmp_path).findings}


def test_a_few_pickles_in_a_row_are_no_structure_made_to_cost_time(tmp_path: Path):
    write(tmp_path, {"model/m.pkl": pickle.dumps({"words": ["a", "b"]}) * 50})
    assert scanned(ModelFiles(), tmp_path).findings == ()


def test_what_is_too_much_to_keep_is_forgotten_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "KEPT_TOTAL_BYTES", 10_000)
    kept = b"".join(text(f"word{number}") + b"\x940" for number in range(200))
    body = text("os") + b"q\xf00" + text("system") + b"q\xf10h\xf0h\xf1\x93)R"
    write(tmp_path, {"model/m.pkl": b"\x80\x04" + kept + body + STOP})
    report = scanned(ModelFiles(), tmp_path)
    assert [finding.rule for finding in report.findings] == ["not-fully-scanned"]
