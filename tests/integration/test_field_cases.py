"""What failed elsewhere goes through the pipeline: hostile files end as vulnerable, ordinary ones as verified."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from mop.scanning.limits import MIB
from security.hostile import called, text
from support.field_cases import copy_case, field_cases, model_with
from support.installation import Installation, Submitted
from support.model_folders import write_model

pytestmark = [pytest.mark.sandbox, pytest.mark.second_tier, pytest.mark.timeout(600)]
HOSTILE_FOLDERS = ("pathlib-os.system", "remote-code", "savedmodel-writefile", "uuid-get_command", "yaml-python-object")
ORDINARY_FOLDERS = ("logger-attribute", "simple-namespace")
MARKERS = (Path("/tmp/mop-marker-file"), Path("/tmp/mop-markers"))
TONE = [{"task": "bad words", "customized_name": "tone"}]


@pytest.fixture(autouse=True)
def nothing_fires() -> Any:
    """No hostile file may run, wherever it comes to."""
    before = [marker.exists() for marker in MARKERS]
    yield
    assert [marker.exists() for marker in MARKERS] == before


def test_hostile_ones_end_as_vulnerable(mop: Installation):
    cases = field_cases()
    mop.start_worker()
    submitted: dict[str, Submitted] = {}
    for name in HOSTILE_FOLDERS:
        submitted[name] = mop.submit(copy_case(cases / name, mop.folders / name), connections=TONE)
    files = sorted((cases / "hostile-files").iterdir())
    assert len(files) >= 9
    for file in files:
        submitted[file.name] = mop.submit(model_with([file], mop.folders / f"with-{file.stem}"))
    for name, revision in submitted.items():
        shown = mop.wait(revision, "vulnerable", seconds=300)
        assert shown["error"]["name"] == "BlockingFindingsError", name


def test_ordinary_ones_end_as_verified(mop: Installation):
    cases = field_cases()
    mop.start_worker()
    submitted: dict[str, Submitted] = {}
    for name in ORDINARY_FOLDERS:
        submitted[name] = mop.submit(copy_case(cases / name, mop.folders / name), connections=TONE)
    files = sorted((cases / "ordinary-files").iterdir())
    assert len(files) >= 4
    submitted["ordinary-files"] = mop.submit(model_with(files, mop.folders / "ordinary-files"))
    for revision in submitted.values():
        mop.wait(revision, "verified", seconds=300)
    scan = mop.call("GET", f"{submitted['ordinary-files'].path}/scan")
    assert scan["decision"] == "clean", scan


def exhausting() -> bytes:
    """One file that comes to the limits of depth, of members, of memory for archives within others, and of growth."""
    nested = bytes(1000)
    for _ in range(10):
        nested = gzip.compress(nested)
    members = {
        "nested.gz": nested,
        "members.zip": b"PK\x03\x04" + bytes(26) + b"PK\x01\x02" * 100_001 + b"PK\x05\x06" + bytes(18),
        "spooled.zip": b"PK\x03\x04" + bytes(97 * MIB),
        "growing.gz": gzip.compress(bytes(300 * MIB), 1),
    }
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def test_a_file_that_exhausts_every_limit_hides_no_other(mop: Installation):
    """The plain pickle behind it is found, and every limit that the file came to is told."""
    mop.start_worker()
    folder = write_model(mop.folders / "exhausting")
    (folder / "model" / "everything.tar.gz").write_bytes(exhausting())
    (folder / "model" / "z.pkl").write_bytes(called("os", "system", text("true")))
    revision = mop.submit(folder)
    shown = mop.wait(revision, "vulnerable", seconds=300)
    assert shown["error"]["name"] == "BlockingFindingsError"
    verdicts = {file["path"]: file["verdict"] for file in mop.call("GET", f"{revision.path}/files")["items"]}
    assert verdicts["model/z.pkl"] == "infected"
    assert verdicts["model/everything.tar.gz"] == "infected"
    found = mop.call("GET", f"{revision.path}/findings")["items"]
    assert {(one["rule"], one["path"].rpartition("!")[2]) for one in found if "everything" in one["path"]} == {
        ("nested-too-deep", "content"),
        ("costly-structure", "members.zip"),
        ("not-fully-scanned", "spooled.zip"),
        ("decompression-bomb", "model/everything.tar.gz"),
    }
