"""Verified versions are decided about again when advisories, policy or waivers are no longer those of their scan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mop.accounts.models import User
from mop.advisories.models import AdvisoryImport
from mop.advisories.services import import_advisories
from mop.findings import reassessment
from mop.findings.auditing import Audited, audit_installed
from mop.findings.models import Scan
from mop.findings.policy_file import installation_policy
from mop.findings.reassessment import reassess
from mop.findings.recording import record_scan
from mop.findings.waivers import end_waiver
from mop.notifications.models import Notification
from mop.registry.models import Revision
from mop.registry.services import create_revision
from mop.scanning.findings import Finding
from support.factories import ACTOR, make_revision_input
from support.osv import affects, record, write_export
from support.scans import BLOCKS, FILES, NOTED, WARNS_LOW, WORKER, make_result, verify, waive

from .conftest import Calendar

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]
PACKAGES = (("alpha", "1.0", ()), ("beta", "2.0", ("alpha",)))


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    """An installation that audits against imported advisories, with no policy of its own."""
    settings.MOP_HOME = tmp_path
    settings.MOP_ADVISORIES = "imported"
    return tmp_path


@pytest.fixture
def advise(tmp_path: Path) -> Callable[..., None]:
    """Imports advisories about alpha, each of a later day, in place of those before."""
    days = iter(range(1, 28))

    def load(*identifiers: str) -> None:
        affected = [affects("alpha", {"introduced": "0"})]
        modified = f"2026-01-{next(days):02}T00:00:00Z"
        records = [record(one, affected=affected, modified=modified) for one in ("OSV-OTHER", *identifiers)]
        records[0]["affected"] = [affects("other", {"introduced": "0"})]
        import_advisories(actor=ACTOR, file=write_export(tmp_path / "all.zip", records), force=True)

    load()
    return load


def scan(revision: Revision, *findings: Finding, **fields: Any) -> Scan:
    """A scan as the pipeline of this installation writes it now."""
    audited = audit_installed(PACKAGES)
    given = {"packages": PACKAGES, "advisories": audited.facts} | fields
    result = make_result(*findings, *audited.report.findings, **given)
    policy = installation_policy()
    return record_scan(revision_id=revision.pk, result=result, policy=policy, actor=WORKER).scan


def newest(revision: Revision) -> Scan:
    return Scan.objects.get(revision=revision, is_current=True)


def status(revision: Revision) -> str:
    revision.refresh_from_db()
    return revision.status


def news(user: User) -> list[str]:
    return list(Notification.objects.filter(recipient=user, kind="findings").values_list("title", flat=True))


def test_nothing_is_written_while_nothing_changed(verified: Revision, advise: Callable[..., None]):
    written = scan(verified, WARNS_LOW)
    assert reassess() == 0
    assert newest(verified) == written


def test_a_new_advisory_is_found_told_and_shown_and_the_files_stand(
    verified: Revision, owner: User, advise: Callable[..., None]
):
    scan(verified, WARNS_LOW, NOTED)
    advise("OSV-2026-1")
    assert reassess() == 1
    again = newest(verified)
    assert (again.reason, again.decision, again.is_complete) == ("advisories", "warnings", True)
    assert again.findings.get(scanner="dependencies").identifier == "OSV-2026-1"
    assert set(again.findings.values_list("scanner", flat=True)) == {"dependencies", "wheels", "structure"}
    assert [file.path for file in again.files.all()] == [file.path for file in FILES]
    assert news(owner) == ["toxicity v1.0.0 has 1 new finding"]
    assert status(verified) == "verified"
    assert any("OSV-2026-1" in warning for warning in verified.warnings)
    assert reassess() == 0


def test_an_advisory_that_was_withdrawn_goes_and_nobody_is_told(
    verified: Revision, owner: User, advise: Callable[..., None]
):
    advise("OSV-2026-1", "OSV-2026-2")
    scan(verified)
    advise("OSV-2026-2")
    assert reassess() == 1
    assert [row.identifier for row in newest(verified).findings.all()] == ["OSV-2026-2"]
    assert news(owner) == []


def test_a_policy_that_blocks_more_turns_a_version_vulnerable(
    verified: Revision, home: Path, advise: Callable[..., None]
):
    scan(verified, WARNS_LOW)
    (home / "policy.toml").write_text('block = "low"\n')
    assert reassess() == 1
    assert status(verified) == "vulnerable"
    assert verified.error["name"] == "BlockingFindingsError"
    assert reassess() == 0


def test_a_waiver_that_was_ended_blocks_again(verified: Revision, administrator: User, advise: Callable[..., None]):
    waiver = waive(verified.model, administrator)
    scan(verified, BLOCKS)
    assert reassess() == 0
    end_waiver(actor=ACTOR, waiver=waiver)
    assert reassess() == 1
    assert status(verified) == "vulnerable"


def test_a_waiver_that_is_over_blocks_again_on_the_next_day(
    verified: Revision, administrator: User, calendar: Calendar, advise: Callable[..., None]
):
    waive(verified.model, administrator, until=calendar.today + dt.timedelta(days=1))
    scan(verified, BLOCKS)
    calendar.go_on(1)
    assert reassess() == 0
    calendar.go_on(1)
    assert reassess() == 1
    assert status(verified) == "vulnerable"


@pytest.mark.parametrize("ended", ["verifyFailed", "vulnerable", "cancelled", "outdated"])
def test_versions_that_are_not_verified_are_left_alone(verified: Revision, ended: str, advise: Callable[..., None]):
    scan(verified)
    Revision.objects.filter(pk=verified.pk).update(status=ended)
    advise("OSV-2026-1")
    assert reassess() == 0


def test_without_an_environment_new_advisories_change_nothing_and_a_new_policy_does(
    verified: Revision, home: Path, advise: Callable[..., None]
):
    scan(verified, WARNS_LOW, packages=(), advisories={}, is_complete=False)
    advise("OSV-2026-1")
    assert reassess() == 0
    (home / "policy.toml").write_text('block = "low"\n')
    assert reassess() == 1
    assert (status(verified), newest(verified).is_complete) == ("vulnerable", False)


def test_what_a_source_said_is_not_forgotten_while_it_says_nothing(
    verified: Revision, home: Path, advise: Callable[..., None]
):
    advise("OSV-2026-1")
    scan(verified)
    AdvisoryImport.objects.all().delete()
    assert reassess() == 0
    (home / "policy.toml").write_text('block = "never"\nwarn = "low"\n')
    assert reassess() == 1
    assert newest(verified).findings.get().identifier == "OSV-2026-1"


def test_a_scan_that_came_meanwhile_is_not_replaced_by_what_was_seen_before(
    verified: Revision, advise: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    scan(verified)
    advise("OSV-2026-1")
    came: list[Scan] = []

    def slow_audit(*given: Any, **named: Any) -> Audited:
        came.append(scan(verified, WARNS_LOW))
        return audit_installed(*given, **named)

    monkeypatch.setattr(reassessment, "audit_installed", slow_audit)
    assert reassess() == 0
    assert newest(verified) == came[0]


def test_names_of_private_wheels_are_kept_whole(verified: Revision, advise: Callable[..., None]):
    private = [f"ours-{number:03}" for number in range(200)]
    facts = audit_installed(PACKAGES, private=private).facts
    scan(verified, advisories=facts)
    assert newest(verified).advisories["private"] == private


def test_the_number_of_queries_does_not_grow_while_nothing_changed(
    verified: Revision, owner: User, administrator: User, advise: Callable[..., None]
):
    counts = []
    for number in (1, 2, 3):
        more = make_revision_input(f"v2.0.{number}")
        waive(verified.model, administrator)
        scan(verify(create_revision(actor=ACTOR, user=owner, model=verified.model, revision=more)))
        for one in Revision.objects.filter(status="verified").exclude(version=f"v2.0.{number}"):
            scan(one)  # with today's waivers
        with CaptureQueriesContext(connection) as queries:
            assert reassess() == 0
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_an_installation_that_no_longer_audits_says_so_once(
    verified: Revision, settings: Any, advise: Callable[..., None]
):
    advise("OSV-2026-1")
    scan(verified)
    settings.MOP_ADVISORIES = "off"
    assert reassess() == 1
    assert newest(verified).advisories["told"] == "none of them audited"
    assert reassess() == 0
