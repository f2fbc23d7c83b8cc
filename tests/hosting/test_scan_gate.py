"""What a scan lets through: nothing that blocks, and nothing of which a scanner did not finish."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync

from mop.errors import BlockingFindingsError, OutsideFault, ScanIncompleteError
from mop.findings.models import Scan
from mop.hosting import scan_gate
from mop.hosting.jobs import RevisionJob
from mop.hosting.scan_gate import scan_folder
from mop.scanning.findings import Finding, ScanReport
from support.factories import make_model
from support.scans import BLOCKS, WARNS_HIGH

pytestmark = pytest.mark.django_db
LATE = {"model-files": "the whole scan takes longer than 3600 s"}


def let_through(monkeypatch: pytest.MonkeyPatch, *findings: Finding, incomplete: dict[str, str]) -> ScanReport:
    """The folder's scan ends with this report."""
    report = ScanReport((), findings, incomplete=incomplete)

    async def inspect(*_given: object, **_others: object) -> ScanReport:
        return report

    monkeypatch.setattr(scan_gate, "inspect_folder", inspect)
    revision = make_model().revisions.get()
    job = RevisionJob(revision.pk, revision.attempt, "digest", cast("Any", None))
    return async_to_sync(scan_folder)(job, Path("/nowhere"), cast("Any", None), lambda _line: None)


def test_a_scan_that_warns_is_let_through(monkeypatch: pytest.MonkeyPatch):
    assert let_through(monkeypatch, WARNS_HIGH, incomplete={}).findings == (WARNS_HIGH,)


def test_a_scan_that_ran_out_of_time_is_repeated_and_never_concluded(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ScanIncompleteError, match="model-files did not finish: the whole scan") as raised:
        let_through(monkeypatch, WARNS_HIGH, incomplete=LATE)
    assert isinstance(raised.value, OutsideFault)  # these are tried again
    assert not Scan.objects.exists()


def test_what_blocks_blocks_although_not_all_was_looked_at(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(BlockingFindingsError):
        let_through(monkeypatch, BLOCKS, incomplete=LATE)
    assert Scan.objects.get().decision == "vulnerable"
