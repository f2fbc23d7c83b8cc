"""A zip is read as every reader finds its members."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mop.scanning.findings import Severity, Verdict
from mop.scanning.limits import ScanLimits
from scanning.formats.reading import looked_at, rules
from security.hostile import plain, tarred, zipped
from security.hostile_kinds import ALL

MARKER = "/tmp/marker"
SMALL = ScanLimits(spool_bytes=10_000)


@pytest.mark.parametrize(
    "content",
    [
        zipped({"a.txt": b"a"}),
        zipped({"inner.zip": zipped({"a.txt": b"a"})}),
        zipped({"m/data.pkl": pickle.dumps({}), "m/data/0": b"\x80\x04\x01\x07" * 9}),
    ],
    ids=["plain", "nested", "torch"],
)
def test_ordinary_archives_are_clean(tmp_path: Path, content: bytes):
    assert looked_at(tmp_path, content).verdict().verdict == Verdict.CLEAN


@pytest.mark.parametrize("name", ["two directories in one zip", "an archive in a comment"])
def test_two_ways_to_read_it_are_both_read_and_block(tmp_path: Path, name: str):
    (kind,) = [kind for kind in ALL if kind.name == name]
    look = looked_at(tmp_path, kind.build(MARKER))
    assert {"ambiguous-structure", "code-execution"} <= rules(look)
    assert look.verdict().verdict == Verdict.INFECTED


def test_members_upon_each_other_block(tmp_path: Path):
    content = bytearray(zipped({"a": b"a" * 50, "b": b"b" * 50}))
    second = content.rindex(b"PK\x01\x02")
    content[second + 42 : second + 46] = struct.pack("<I", 0)
    look = looked_at(tmp_path, bytes(content))
    assert "ambiguous-structure" in rules(look)


def test_too_many_members_block_before_they_are_listed(tmp_path: Path):
    content = zipped({str(number): b"" for number in range(30)})
    look = looked_at(tmp_path, content, limits=ScanLimits(members=20))
    (finding,) = look.findings
    assert (finding.rule, finding.severity) == ("costly-structure", Severity.CRITICAL)


def test_endless_nesting_blocks(tmp_path: Path):
    content = plain(MARKER)
    for _ in range(9):
        content = zipped({"a": content})
    look = looked_at(tmp_path, content)
    assert ("nested-too-deep", Severity.CRITICAL) in {(finding.rule, finding.severity) for finding in look.findings}


def test_a_member_without_a_name_hides_no_other(tmp_path: Path):
    content = zipped({"a": b"a", "b": plain(MARKER)})
    nameless = bytearray(content)
    entry = content.index(b"PK\x01\x02")
    nameless[entry + 28 : entry + 32] = struct.pack("<HH", 0, 1)  # its letter is an extra field by now
    assert looked_at(tmp_path, bytes(nameless)).verdict().verdict == Verdict.INFECTED


def test_a_directory_that_its_record_puts_behind_the_end_is_read_on(tmp_path: Path):
    content = bytearray(zipped({"a": b"a"}))
    content[-6:-2] = struct.pack("<I", 5000)
    assert looked_at(tmp_path, bytes(content)).verdict().verdict != Verdict.CLEAN


@pytest.mark.parametrize("pack", [tarred, lambda files: gzip.compress(tarred(files))], ids=["tar", "tar in gzip"])
def test_a_large_archive_in_a_tar_is_read_or_searched(tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]):
    inner = zipped({"m/data.pkl": plain(MARKER), "m/data/0": bytes(50_000)})
    look = looked_at(tmp_path, pack({"config.yaml": b"a: 1", "w.ckpt": inner, "z.txt": b"z"}), limits=SMALL)
    assert "code-execution" in rules(look)


def test_a_large_archive_in_a_tar_is_clean_when_its_members_are(tmp_path: Path):
    inner = zipped({"m/data.pkl": pickle.dumps({}), "m/data/0": bytes(50_000)})
    look = looked_at(tmp_path, tarred({"a.txt": b"a", "w.ckpt": inner, "z.pkl": pickle.dumps([1])}), limits=SMALL)
    assert look.verdict().verdict == Verdict.CLEAN


def test_a_tar_behind_a_large_archive_is_read_on(tmp_path: Path):
    inner = zipped({"m/data.pkl": pickle.dumps({}), "m/data/0": bytes(50_000)})
    look = looked_at(tmp_path, tarred({"w.ckpt": inner, "z.pkl": plain(MARKER)}), limits=SMALL)
    assert {finding.path for finding in look.findings} == {"file!z.pkl"}


@pytest.mark.parametrize(("target", "rule"), [("../../etc/passwd", {"archive-escape"}), ("a.txt", set())])
def test_a_link_is_judged_by_where_it_leads(tmp_path: Path, target: str, rule: set[str]):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, target)
    assert rules(looked_at(tmp_path, file.getvalue())) == rule


@pytest.mark.parametrize("name", ["m/data/aotinductor/model/a.wrapper.so", "data/aotinductor/model/a.wrapper.cpp"])
def test_native_code_that_torch_loads_with_a_package_blocks(tmp_path: Path, name: str):
    look = looked_at(tmp_path, zipped({"m/archive_format": b"pt2", name: b"int a;"}))
    assert [(one.rule, one.severity) for one in look.findings] == [("compiled-code", Severity.CRITICAL)]
