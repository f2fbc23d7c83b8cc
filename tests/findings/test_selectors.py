"""Reads of the newest scan, its findings and files by filter, and its way back to the scanners' report."""

from __future__ import annotations

import uuid

import pytest

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.errors import NotFoundError
from mop.findings.selectors import (
    current_scan,
    environment_that_was_built,
    files_of,
    findings_of,
    get_waiver,
    report_of,
    require_scan,
    scanned_environment,
    scanners_with_findings,
    scans_of,
    waivers_of,
)
from mop.findings.waivers import end_waiver
from mop.registry.models import Model, Revision
from mop.scanning.findings import FileVerdict, Verdict
from support.factories import make_model
from support.scans import EVERY_ACTION, FILES, WARNS_HIGH, keep_scan, make_result, waive

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def test_a_revision_that_was_not_scanned_has_no_scan(revision: Revision):
    assert current_scan(revision) is None
    assert scanned_environment(revision.pk) == ""
    with pytest.raises(NotFoundError, match=r"toxicity v1\.0\.0 was not scanned yet"):
        require_scan(revision)


def test_the_newest_scan_is_current_and_all_are_listed_newest_first(revision: Revision):
    scans = [keep_scan(revision, environment_digest=letter * 64).scan for letter in "abc"]
    assert current_scan(revision) == require_scan(revision) == scans[-1]
    assert list(scans_of(revision)) == scans[::-1]
    assert scanned_environment(revision.pk) == "c" * 64


def test_whether_an_environment_was_ever_built(revision: Revision):
    assert not environment_that_was_built(revision.pk)
    Revision.objects.filter(pk=revision.pk).update(environment_key="ab" * 32)
    assert environment_that_was_built(revision.pk)
    assert not environment_that_was_built(uuid.uuid4())


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, [1, 2, 3, 4]),
        ({"severity": "low"}, [3, 4]),
        ({"scanner": "wheels"}, [3]),
        ({"action": "note"}, [4]),
        ({"severity": "low", "action": "warn"}, [3]),
        ({"severity": "critical", "scanner": "wheels"}, []),
    ],
)
def test_findings_are_filtered_and_keep_their_order(revision: Revision, filters: dict[str, str], numbers: list[int]):
    scan = keep_scan(revision, *EVERY_ACTION).scan
    assert list(findings_of(scan, **filters).values_list("number", flat=True)) == numbers


@pytest.mark.parametrize(
    ("filters", "paths"),
    [
        ({"verdict": "clean"}, ["src/inference.py", "src/settings.yml"]),
        ({"search": "WEIGHTS"}, ["model/weights.pkl"]),
        ({"verdict": "clean", "search": ".yml"}, ["src/settings.yml"]),
        ({"search": "%"}, []),
    ],
)
def test_files_are_filtered(revision: Revision, filters: dict[str, str], paths: list[str]):
    scan = keep_scan(revision).scan
    assert [file.path for file in files_of(scan, **filters)] == paths


def test_scanners_are_counted(revision: Revision):
    scan = keep_scan(revision, *EVERY_ACTION, WARNS_HIGH).scan
    assert scanners_with_findings(scan) == [("dependencies", 2), ("model-files", 1), ("structure", 1), ("wheels", 1)]


def test_a_scan_becomes_the_scanners_report_again(revision: Revision):
    result = make_result(*EVERY_ACTION, incomplete={"secrets": "too long"})
    scan = keep_scan(revision, *EVERY_ACTION, incomplete={"secrets": "too long"}).scan
    report = report_of(scan)
    assert report.files == FILES
    assert sorted(report.findings, key=repr) == sorted(result.report.findings, key=repr)
    assert (report.scanners, report.incomplete) == (("structure", "model-files"), {"secrets": "too long"})


def test_files_of_the_report_stand_in_the_order_of_the_scan_on_every_database(revision: Revision):
    files = tuple(FileVerdict(path, Verdict.CLEAN) for path in ("B.py", "a-b.py", "a.py", "a/z", "ä.py"))
    scan = keep_scan(revision, files=files).scan
    assert report_of(scan).files == files


def test_waivers_are_listed_newest_first_and_found_by_number_within_their_model(
    model: Model, owner: User, administrator: User
):
    other = make_model("other", owner=owner)
    first, second, third = (waive(one, administrator) for one in (model, model, other))
    end_waiver(actor=actor_of(administrator), waiver=first)
    assert list(waivers_of(model)) == [second, first]
    assert get_waiver(model, first.pk) == first
    with pytest.raises(NotFoundError, match=f"toxicity has no waiver {third.pk}"):
        get_waiver(model, third.pk)
