"""A scan is written once, with the decision, the counts, and its findings, worst first."""

from __future__ import annotations

import uuid

import pytest

from mop.accounts.models import User
from mop.audit.models import AuditEvent
from mop.errors import StaleAttemptError
from mop.findings import recording
from mop.findings.models import Scan, ScanDecision, ScanFinding, ScannedFile, ScanReason
from mop.findings.recording import blocking_error, judge, scan_warnings
from mop.registry.models import Revision
from mop.scanning.findings import FileVerdict, Severity, Verdict
from mop.scanning.policy import Policy
from support.factories import make_model
from support.scans import (
    BLOCKS,
    EVERY_ACTION,
    FILES,
    NOTED,
    WARNS_HIGH,
    WARNS_LOW,
    keep_scan,
    make_advisory,
    make_finding,
    make_result,
    policy_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.dialect]


def found_of(scan: Scan) -> list[tuple[int, str, str, str]]:
    return list(scan.findings.order_by("number").values_list("number", "action", "severity", "scanner"))


def test_a_scan_is_written_with_its_decision_counts_files_and_findings(revision: Revision):
    scan = keep_scan(revision, *EVERY_ACTION, key="onboarding:1:ab").scan
    scan.refresh_from_db()
    assert (scan.get_decision(), scan.blocking, scan.warning) == (ScanDecision.VULNERABLE, 1, 2)
    assert scan.severities == {"critical": 1, "high": 1, "low": 2}
    assert scan.verdicts == {"infected": 1, "not_fully_scanned": 1, "clean": 2}
    assert (scan.key, scan.policy_digest, scan.is_current) == ("onboarding:1:ab", "12" * 32, True)
    assert scan.packages == [["numpy", "1.26.4", []], ["scikit-learn", "1.5.0", ["numpy"]]]
    assert list(scan.files.values_list("path", "verdict", "reasons")) == [
        (file.path, file.verdict.value, list(file.reasons)) for file in FILES
    ]
    first = scan.findings.get(number=1)
    assert (first.path, first.position, first.message) == (BLOCKS.path, BLOCKS.position, BLOCKS.message)
    assert (first.hint, first.details) == (BLOCKS.hint, BLOCKS.details)
    assert scan.findings.get(scanner="dependencies").identifier == "OSV-2026-1"


def test_what_blocks_comes_first_then_what_warns_each_worst_first(revision: Revision):
    policy = Policy(block=Severity.CRITICAL, warn=Severity.LOW, rules={"wheels/native-code": "block"})
    medium = make_finding(Severity.MEDIUM, "src/a.py", scanner="source", rule="severe-place")
    scan = keep_scan(revision, NOTED, medium, WARNS_LOW, WARNS_HIGH, BLOCKS, policy=policy).scan
    assert found_of(scan) == [
        (1, "block", "critical", "model-files"),
        (2, "block", "low", "wheels"),
        (3, "warn", "high", "dependencies"),
        (4, "warn", "medium", "source"),
        (5, "warn", "low", "structure"),
    ]


@pytest.mark.parametrize(
    ("findings", "decision"),
    [((), "clean"), ((NOTED,), "clean"), ((NOTED, WARNS_LOW), "warnings"), ((WARNS_LOW, BLOCKS), "vulnerable")],
)
def test_the_decision_is_the_worst_action(revision: Revision, findings: tuple, decision: str):
    assert keep_scan(revision, *findings).scan.decision == decision


def test_the_same_key_is_written_once_whatever_it_brings_the_second_time(revision: Revision):
    first = keep_scan(revision, BLOCKS, key="onboarding:1")
    again = keep_scan(revision, BLOCKS, WARNS_HIGH, key="onboarding:1")
    assert again.scan == first.scan
    assert again.new == ()
    assert Scan.objects.count() == 1
    assert ScanFinding.objects.count() == 1
    assert AuditEvent.objects.filter(action="revision.scanned").count() == 1


def test_a_step_that_runs_again_after_a_later_scan_changes_nothing(revision: Revision):
    keep_scan(revision, WARNS_LOW, key="onboarding:1")
    later = keep_scan(revision, WARNS_LOW).scan
    again = keep_scan(revision, WARNS_LOW, WARNS_HIGH, key="onboarding:1")
    assert again.new == ()
    assert Scan.objects.get(is_current=True) == later


def test_two_revisions_may_use_one_key(revision: Revision, owner: User):
    other = make_model(owner=owner).revisions.get()
    keep_scan(revision, key="onboarding:1")
    keep_scan(other, key="onboarding:1")
    assert Scan.objects.filter(is_current=True).count() == 2


def test_of_an_earlier_scan_the_counts_stay_and_the_rows_go(revision: Revision):
    earlier = keep_scan(revision, *EVERY_ACTION).scan
    later = keep_scan(revision, WARNS_LOW, files=FILES[:1]).scan
    earlier.refresh_from_db()
    assert (earlier.is_current, later.is_current) == (False, True)
    assert (earlier.decision, earlier.blocking, earlier.warning) == ("vulnerable", 1, 2)
    assert earlier.severities == {"critical": 1, "high": 1, "low": 2}
    assert not earlier.files.exists()
    assert not earlier.findings.exists()
    assert (ScannedFile.objects.count(), ScanFinding.objects.count()) == (1, 1)


def test_of_very_many_findings_the_worst_are_kept_and_all_are_counted(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recording, "FINDINGS_KEPT", 3)
    low = [make_finding(Severity.LOW, f"src/{number}.py", scanner="source", rule="odd") for number in range(5)]
    recorded = keep_scan(revision, *low, BLOCKS)
    assert [(number, severity) for number, _, severity, _ in found_of(recorded.scan)] == [
        (1, "critical"),
        (2, "low"),
        (3, "low"),
    ]
    assert (recorded.scan.severities, recorded.scan.warning) == ({"critical": 1, "low": 5}, 5)
    assert keep_scan(revision, *low, BLOCKS).new == ()  # what was not kept is not new each time


def test_the_audit_log_holds_decision_and_counts(revision: Revision):
    keep_scan(revision, *EVERY_ACTION, reason=ScanReason.RESCAN)
    event = AuditEvent.objects.get(action="revision.scanned")
    assert (event.object_id, event.actor_label) == (str(revision.pk), "MOP worker")
    assert event.data["reason"] == "rescan"
    assert event.data["decision"] == "vulnerable"
    assert event.data["severities"] == {"critical": 1, "high": 1, "low": 2}


def test_a_scan_of_a_deleted_revision_is_refused(revision: Revision):
    revision.pk = uuid.uuid4()
    with pytest.raises(StaleAttemptError, match="was deleted"):
        keep_scan(revision)
    with pytest.raises(StaleAttemptError, match="was deleted"):
        judge(revision.pk, make_result().report, policy_of())


def test_judging_writes_nothing(revision: Revision):
    decision = judge(revision.pk, make_result(*EVERY_ACTION).report, policy_of())
    assert decision.blocked == (BLOCKS,)
    assert not Scan.objects.exists()


def test_new_is_what_the_scan_before_did_not_have_and_what_is_only_noted_is_never_new(revision: Revision):
    assert keep_scan(revision, WARNS_LOW).new == ()  # nobody was told otherwise before
    assert keep_scan(revision, WARNS_LOW, WARNS_HIGH, NOTED, BLOCKS).new == (BLOCKS, WARNS_HIGH)
    moved = make_finding(position="byte 4096")
    assert keep_scan(revision, WARNS_LOW, WARNS_HIGH, moved).new == ()
    other = make_advisory("OSV-2026-2")
    assert keep_scan(revision, WARNS_LOW, WARNS_HIGH, other).new == (other,)


def test_what_was_noted_and_now_warns_is_new(revision: Revision):
    keep_scan(revision, NOTED)
    assert keep_scan(revision, NOTED, policy=Policy()).new == (NOTED,)


def test_the_error_names_the_worst_finding_and_counts_the_rest(revision: Revision):
    many = [make_finding(path=f"model/{number}.pkl") for number in range(7)]
    error = blocking_error(keep_scan(revision, *many).decision)
    assert error.message == "7 findings block this version. model/0.pkl runs os.system when it is loaded."
    assert error.place == "model/0.pkl"
    assert error.hint == "Save the weights as safetensors. Then add a new version."
    others = [f"model/{number}.pkl runs os.system when it is loaded." for number in range(1, 5)]
    assert error.also == (*others, "and 2 more")
    one = blocking_error(keep_scan(revision, BLOCKS).decision)
    assert one.message.startswith("1 finding blocks this version.")
    assert (one.place, one.also) == ("model/weights.pkl, byte 2048", ())
    assert blocking_error(keep_scan(revision, WARNS_HIGH).decision) is None


@pytest.mark.parametrize(("count", "more"), [(5, []), (6, ["and 1 more"])])
def test_the_error_says_how_many_it_leaves_out(revision: Revision, count: int, more: list[str]):
    many = [make_finding(path=f"model/{number}.pkl") for number in range(count)]
    error = blocking_error(keep_scan(revision, *many).decision)
    assert list(error.also[4:]) == more


def test_warnings_show_the_worst_and_count_the_rest(revision: Revision):
    low = [make_finding(Severity.LOW, f"src/{number}.py", message=f"odd {number}") for number in range(7)]
    result = make_result(*low, WARNS_HIGH, incomplete={"secrets": "it took too long"})
    recorded = keep_scan(revision, *low, WARNS_HIGH)
    assert scan_warnings(recorded.decision, result.report) == [
        "Scan: high: numpy 1.26.4 is affected by OSV-2026-1.",
        *(f"Scan: low: odd {number}" for number in range(4)),
        "Scan: 3 more findings warn; Findings lists them all.",
        "Scan: the scanner secrets did not finish: it took too long",
    ]


def test_a_scanner_that_did_not_come_to_its_end_is_named(revision: Revision):
    scan = keep_scan(revision, incomplete={"secrets": "it took too long"}).scan
    scan.refresh_from_db()
    assert scan.incomplete == {"secrets": "it took too long"}
    assert scan.decision == "clean"


def test_files_keep_the_order_of_the_report(revision: Revision):
    files = [FileVerdict(path, Verdict.CLEAN) for path in ("B.py", "a.py", "a/z", "ä.py")]
    scan = keep_scan(revision, files=files).scan
    assert list(scan.files.values_list("path", flat=True)) == ["B.py", "a.py", "a/z", "ä.py"]
