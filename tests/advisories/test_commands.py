"""`mop advisories import`, `mop advisories status`, and what `mop doctor` says of advisories."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from cli.commands import Result, mop, mop_here
from mop.advisories.selectors import STALE_AFTER
from mop.cli.examination import NOTE, OK, Finding, examine_advisories
from support.installation import free_port
from support.osv import affects, make_world, osv, record, write_export

Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], db: None) -> Run:
    return lambda *arguments: mop_here(capsys, "advisories", *arguments)


def export(folder: Path, *, days_old: float = 1) -> Path:
    modified = (timezone.now() - dt.timedelta(days=days_old)).isoformat()
    one = record("GHSA-1", affected=[affects("alpha", {"introduced": "0"})], modified=modified)
    return write_export(folder / "all.zip", [one])


def test_an_export_is_imported_before_the_first_start(tmp_path: Path):
    export(tmp_path)
    imported = mop("advisories", "import", "all.zip", "--json", home=tmp_path, MOP_ADVISORIES="imported")
    assert (imported.code, imported.err) == (0, "")
    assert (imported.json["records"], imported.json["passed_over"]) == (1, 0)


def test_a_file_that_is_refused_ends_with_its_name_and_hint(run: Run, tmp_path: Path):
    (tmp_path / "bad.zip").write_text("no zip")
    result = run("import", str(tmp_path / "bad.zip"))
    assert (result.code, result.out) == (64, "")
    assert result.err.startswith("AdvisoryImportError: It cannot be read as a zip")
    assert "hint: Fetch the export" in result.err


def test_an_older_export_needs_force(run: Run, tmp_path: Path):
    assert run("import", str(export(tmp_path))).code == 0
    older = str(export(tmp_path, days_old=2))
    assert run("import", older).code == 64
    result = run("import", older, "--force")
    assert (result.code, result.out.split(",")[0]) == (0, "1 advisories")
    assert "set MOP_ADVISORIES=imported" in result.err


def test_status_is_1_for_nothing_imported_and_for_old_advisories(run: Run, tmp_path: Path, settings: Any):
    settings.MOP_ADVISORIES = "imported"
    assert "no advisories were imported" in run("status").out
    run("import", str(export(tmp_path, days_old=STALE_AFTER.days + 3)))
    result = run("status")
    assert result.code == 1
    assert "the newest change is 17 days old" in result.out
    (finding,) = examine_advisories()
    assert (finding.state, bool(finding.hint)) == (NOTE, True)
    run("import", str(export(tmp_path)))
    state = run("status", "--json")
    assert (state.code, state.json["problem"], state.json["records"]) == (0, "", 1)
    newest = state.json["dated"]
    assert state.json["last_import"]["newest_modified"] == newest
    assert list(examine_advisories()) == [Finding("advisories", OK, f"1 imported, the newest change of {newest[:10]}")]


def test_status_asks_the_service(run: Run, settings: Any):
    with osv(make_world(1)) as service:
        settings.MOP_OSV_URL = service.url
        settings.MOP_ADVISORIES = "osv"
        result = run("status", "--json")
        assert (result.code, result.json["source"], result.json["problem"]) == (0, "osv", "")
    settings.MOP_OSV_URL = f"http://127.0.0.1:{free_port()}"
    silent = run("status", "--json")
    assert (silent.code, "could not be asked" in silent.json["problem"]) == (1, True)
    assert "osv" in run("status").out


def test_a_source_that_is_off_is_told(run: Run, settings: Any):
    settings.MOP_ADVISORIES = "off"
    assert run("status").code == 1
    (finding,) = examine_advisories()
    assert (finding.state, finding.detail) == (NOTE, "installed packages are not audited")


def test_a_source_or_an_address_that_is_none_is_a_setting_that_can_not_be_read(tmp_path: Path):
    wrong = mop("advisories", "status", home=tmp_path, MOP_ADVISORIES="nvd")
    assert (wrong.code, wrong.err) == (64, "MOP_ADVISORIES: 'nvd' is none of osv, imported, off\n")
    wrong = mop("advisories", "status", home=tmp_path, MOP_OSV_URL="https://user:word@osv.example")
    assert (wrong.code, wrong.err.startswith("MOP_OSV_URL: write https://host")) == (64, True)
