"""Tar in every dialect: members, names that lead out, what follows."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from mop.scanning.findings import Verdict
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile import plain


def packed(dialect: int, name: str, content: bytes, **fields: object) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=dialect) as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        for field, value in fields.items():
            setattr(member, field, value)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize("dialect", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["a.pkl", "a/" * 40 + "a.pkl", "code/a.py"])
def test_a_member_is_read_in_every_dialect(tmp_path: Path, dialect: int, name: str):
    assert "code-execution" in rules(looked_at(tmp_path, packed(dialect, name, plain("/tmp/marker"))))
    assert verdict(tmp_path, packed(dialect, name, b"a = 1\n" * 99)).verdict == Verdict.CLEAN


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b"])
def test_a_name_that_leads_out_is_infected(tmp_path: Path, name: str):
    assert rules(looked_at(tmp_path, packed(tarfile.GNU_FORMAT, name, b"a"))) == {"archive-escape"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_is_judged_by_where_it_leads(tmp_path: Path, kind: bytes):
    out = packed(tarfile.GNU_FORMAT, "a", b"", type=kind, linkname="../../etc/passwd")
    assert rules(looked_at(tmp_path, out)) == {"archive-escape"}
    inside = packed(tarfile.GNU_FORMAT, "a", b"", type=kind, linkname="b")
    assert verdict(tmp_path, inside).verdict == Verdict.CLEAN


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_device_is_told(tmp_path: Path, kind: bytes):
    assert rules(looked_at(tmp_path, packed(tarfile.GNU_FORMAT, "null", b"", type=kind))) == {"special-member"}
