"""Who answers for a finding lifts its block until a day; the finding stays a warning, and the block comes back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.audit.models import AuditEvent
from mop.errors import ConflictError, ValidationFailedError
from mop.findings.models import Scan, ScanDecision, Waiver
from mop.findings.waivers import DAYS_MAX, create_waiver, end_waiver
from mop.registry.models import Model, Revision
from mop.scanning.policy import Policy
from support.factories import make_model
from support.scans import BLOCKS, WARNS_LOW, keep_scan, make_advisory, make_finding

from .conftest import Calendar

pytestmark = pytest.mark.dialect


@pytest.fixture
def waive(administrator: User, owner: User, model: Model, calendar: Calendar) -> Any:
    """Waives `BLOCKS` for 30 days unless told otherwise."""

    def create(**changes: Any) -> Waiver:
        given = {
            "model": model,
            "scanner": "model-files",
            "rule": "code-execution",
            "path": BLOCKS.path,
            "owner": owner,
            "reason": "It is ours and runs os.getpid alone.",
            "until": calendar.today + dt.timedelta(days=30),
        } | changes
        return create_waiver(actor=actor_of(administrator), user=administrator, **given)

    return create


def decision(revision: Revision) -> ScanDecision:
    return Scan.objects.get(revision=revision, is_current=True).get_decision()


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"rule": "*"}, "rule", "Name scanner and rule as the finding does; neither may hold a *."),
        ({"scanner": "model files"}, "rule", "Name scanner and rule as the finding does; neither may hold a *."),
        ({"path": "*"}, "path", "Name the finding's path; a * alone would waive the rule for every file."),
        ({"path": " **!* "}, "path", "Name the finding's path; a * alone would waive the rule for every file."),
        ({"path": ""}, "path", "Name the finding's path; a * alone would waive the rule for every file."),
        ({"reason": " \n "}, "reason", "Say why the finding may be."),
    ],
)
def test_a_waiver_says_exactly_what_it_waives_and_why(waive: Any, changes: dict[str, str], field: str, message: str):
    with pytest.raises(ValidationFailedError) as caught:
        waive(**changes)
    assert caught.value.fields == {field: [message]}
    assert not Waiver.objects.exists()


@pytest.mark.parametrize("days", [-1, DAYS_MAX + 1])
def test_a_waiver_ends_on_a_day_between_today_and_a_year(waive: Any, calendar: Calendar, days: int):
    with pytest.raises(ValidationFailedError) as caught:
        waive(until=calendar.today + dt.timedelta(days=days))
    last = (calendar.today + dt.timedelta(days=DAYS_MAX)).isoformat()
    assert caught.value.fields == {"until": [f"Choose a day from today to {last}."]}


@pytest.mark.parametrize("days", [0, DAYS_MAX])
def test_the_first_and_the_last_day_are_taken(waive: Any, calendar: Calendar, days: int):
    assert waive(until=calendar.today + dt.timedelta(days=days)).pk


def test_every_fault_is_told_at_once(waive: Any, calendar: Calendar):
    with pytest.raises(ValidationFailedError) as caught:
        waive(rule="a b", path="*", reason="", until=calendar.today - dt.timedelta(days=1))
    assert set(caught.value.fields) == {"rule", "path", "reason", "until"}


def test_a_waiver_is_in_the_audit_log_with_who_answers_for_it(waive: Any, administrator: User):
    waiver = waive()
    event = AuditEvent.objects.get(action="waiver.created")
    assert (event.actor_id, event.object_id) == (str(administrator.pk), str(waiver.pk))
    assert event.data == {
        "model": "toxicity",
        "scanner": "model-files",
        "rule": "code-execution",
        "path": "model/weights.pkl",
        "identifier": "",
        "owner": "olivia",
        "reason": "It is ours and runs os.getpid alone.",
        "until": waiver.until.isoformat(),
    }


def test_a_waived_finding_warns_and_names_its_waiver(waive: Any, revision: Revision):
    waiver = waive()
    recorded = keep_scan(revision, BLOCKS)
    assert decision(revision) == ScanDecision.WARNINGS
    finding = recorded.scan.findings.get()
    assert (finding.action, finding.waiver) == ("warn", waiver)
    assert (recorded.scan.blocking, recorded.scan.warning) == (0, 1)


def test_only_the_finding_it_names_is_waived(waive: Any, revision: Revision):
    waive(path="model/*.pkl")
    other = make_finding(path="src/hook.pkl")
    scan = keep_scan(revision, BLOCKS, other, make_finding(path="model/deep/x.pkl"), WARNS_LOW).scan
    assert {(row.path, row.action, row.waiver_id is not None) for row in scan.findings.all()} == {
        ("model/weights.pkl", "warn", True),
        ("model/deep/x.pkl", "warn", True),
        ("src/hook.pkl", "block", False),
        ("privatepkgs/fast.whl", "warn", False),
    }


def test_a_waiver_of_one_advisory_leaves_the_others_of_the_package(waive: Any, revision: Revision):
    first, second = make_advisory("OSV-1"), make_advisory("OSV-2")
    waive(scanner="dependencies", rule="advisory", path=first.path, identifier="OSV-1")
    scan = keep_scan(revision, first, second, policy=Policy(rules={"dependencies/*": "block"})).scan
    assert dict(scan.findings.values_list("identifier", "action")) == {"OSV-1": "warn", "OSV-2": "block"}


def test_a_waiver_holds_for_its_model_and_for_no_other(waive: Any, revision: Revision, owner: User):
    waive()
    other = make_model("other", owner=owner).revisions.get()
    keep_scan(other, BLOCKS)
    keep_scan(revision, BLOCKS)
    assert decision(other) == ScanDecision.VULNERABLE
    assert decision(revision) == ScanDecision.WARNINGS


def test_an_ended_waiver_blocks_again_at_the_next_decision(waive: Any, revision: Revision, administrator: User):
    waiver = waive()
    keep_scan(revision, BLOCKS)
    end_waiver(actor=actor_of(administrator), waiver=waiver)
    assert decision(revision) == ScanDecision.WARNINGS
    recorded = keep_scan(revision, BLOCKS)
    assert decision(revision) == ScanDecision.VULNERABLE
    assert recorded.new == ()  # it was told as a warning
    assert AuditEvent.objects.get(action="waiver.ended").object_id == str(waiver.pk)


def test_a_waiver_is_ended_once(waive: Any, administrator: User):
    waiver = waive()
    end_waiver(actor=actor_of(administrator), waiver=waiver)
    waiver.refresh_from_db()
    ended_at = waiver.ended_at
    with pytest.raises(ConflictError, match="is ended already"):
        end_waiver(actor=actor_of(administrator), waiver=waiver)
    waiver.refresh_from_db()
    assert waiver.ended_at == ended_at
    assert AuditEvent.objects.filter(action="waiver.ended").count() == 1


def test_a_waiver_holds_on_its_last_day_and_is_over_on_the_next(waive: Any, revision: Revision, calendar: Calendar):
    waive(until=calendar.today + dt.timedelta(days=2))
    calendar.go_on(2)
    keep_scan(revision, BLOCKS)
    assert decision(revision) == ScanDecision.WARNINGS
    calendar.go_on(1)
    keep_scan(revision, BLOCKS)
    assert decision(revision) == ScanDecision.VULNERABLE


def test_a_second_waiver_holds_when_the_first_is_over(waive: Any, revision: Revision, calendar: Calendar):
    waive(until=calendar.today)
    longer = waive(until=calendar.today + dt.timedelta(days=9))
    calendar.go_on(1)
    assert keep_scan(revision, BLOCKS).scan.findings.get().waiver == longer
