"""What failed elsewhere goes through the pipeline: hostile files end as vulnerable, ordinary ones as verified."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

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


def test_files_that_exhaust_the_limits_hide_no_other(mop: Installation):
    """Growth, depth and members are exhausted by one file each; the plain pickle beside it is what blocks."""
    mop.start_worker()
    folder = write_model(mop.folders / "exhausting")
    nested = bytes(1000)
    for _ in range(10):
        nested = gzip.compress(nested)
    (folder / "model" / "growing.gz").write_bytes(gzip.compress(bytes(300_000_000), 1))
    (folder / "model" / "members.zip").write_bytes(
        b"PK\x03\x04" + bytes(26) + b"PK\x01\x02" * 100_001 + b"PK\x05\x06" + bytes(18)
    )
    (folder / "model" / "nested.gz").write_bytes(nested)
    (folder / "model" / "z.pkl").write_bytes(called("os", "system", text("true")))
    revision = mop.submit(folder)
    shown = mop.wait(revision, "vulnerable", seconds=300)
    assert shown["error"]["name"] == "BlockingFindingsError"
    verdicts = {file["path"]: file["verdict"] for file in mop.call("GET", f"{revision.path}/files")["items"]}
    assert verdicts["model/z.pkl"] == "infected"
    assert verdicts["model/growing.gz"] == "infected"
    assert verdicts["model/members.zip"] == "not_fully_scanned"
    assert verdicts["model/nested.gz"] == "not_fully_scanned"
