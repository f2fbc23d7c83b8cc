"""What findings mean: severities, exact rules, waivers and their days."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop.scanning.findings import FileVerdict, Finding, ScanReport, Severity, Verdict, merge
from mop.scanning.policy import Action, Policy, Waiver, decide, fits, read_policy
from support.policies import default_policy

TODAY = dt.date(2026, 11, 23)


def finding(**changes: object) -> Finding:
    values = {
        "scanner": "model-files",
        "rule": "code-execution",
        "severity": Severity.CRITICAL,
        "path": "model/a.pkl",
        "message": "m",
        "hint": "d",
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type]


def report(*findings: Finding) -> ScanReport:
    return ScanReport((), findings)


def waiver(**changes: object) -> Waiver:
    values = {
        "scanner": "model-files",
        "rule": "code-execution",
        "path": "model/a.pkl",
        "owner": "olivia",
        "reason": "ours",
        "until": TODAY,
    }
    return Waiver(**{**values, **changes})  # type: ignore[arg-type]


def test_by_default_code_execution_blocks_and_advisories_and_suspicions_warn():
    bad, odd = finding(), finding(rule="unknown-global", severity=Severity.MEDIUM)
    advisory = finding(scanner="dependencies", rule="advisory", severity=Severity.CRITICAL)
    decision = decide(report(bad, odd, advisory), default_policy(), (), today=TODAY)
    assert decision.blocked == (bad,)
    assert decision.warned == (odd, advisory)


def test_the_most_exact_rule_wins_over_the_severity():
    policy = Policy(rules={"secrets/*": Action.NOTE, "secrets/private-key": Action.BLOCK})
    assert policy.action(finding(scanner="secrets", rule="private-key", severity=Severity.LOW)) == Action.BLOCK
    assert policy.action(finding(scanner="secrets", rule="token", severity=Severity.CRITICAL)) == Action.NOTE


@given(st.text("ab*", max_size=12), st.text("ab\n", max_size=12))
def test_a_pattern_says_what_its_regular_expression_would(pattern: str, path: str):
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert fits(pattern, path) == (re.fullmatch(expression, path, re.DOTALL) is not None)


def test_a_pattern_of_many_stars_is_no_work():
    assert not fits("*a" * 200 + "b", "a" * 4000)


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"until": TODAY - dt.timedelta(days=1)}, False),
        ({"path": "model/*"}, True),
        ({"path": "model/[ab].pkl"}, False),
        ({"path": "model/b.pkl"}, False),
        ({"rule": "unknown-global"}, False),
        ({"identifier": "OSV-1"}, False),
    ],
)
def test_a_waiver_holds_for_what_it_names_until_its_day(changes: dict[str, object], *, holds: bool):
    bad = finding()
    decision = decide(report(bad), default_policy(), [waiver(**changes)], today=TODAY)
    assert decision.blocked == (() if holds else (bad,))
    assert [one for one, _ in decision.waived] == ([bad] if holds else [])
    assert decision.warned == ((bad,) if holds else ())


def test_a_waiver_of_one_advisory_leaves_the_others():
    policy = Policy(rules={})
    first, second = (finding(details={"identifier": name}) for name in ("OSV-1", "OSV-2"))
    decision = decide(report(first, second), policy, [waiver(identifier="OSV-1")], today=TODAY)
    assert decision.blocked == (second,)


def test_never_switches_blocking_off():
    policy = read_policy('block = "never"\nwarn = "high"')
    assert policy.action(finding()) == Action.WARN
    assert policy.action(finding(severity=Severity.MEDIUM)) == Action.NOTE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('blocks = "high"', "unknown keys blocks"),
        ('block = "huge"', "block = 'huge' is none of low"),
        ('[rules]\nsecrets = "warn"', "scanner/rule"),
        ('[rules]\n"secrets/*" = "ignore"', "is none of block, warn, note"),
        ("block =", "Invalid value"),
    ],
)
def test_a_wrong_policy_says_what_is_wrong(text: str, said: str):
    with pytest.raises(ValueError, match=said.replace("*", r"\*")):
        read_policy(text)


def test_reports_of_several_scanners_become_one_with_the_worst_verdict_and_the_worst_finding_first():
    low, high = finding(severity=Severity.LOW), finding(severity=Severity.HIGH, path="z")
    one = ScanReport((FileVerdict("a", Verdict.CLEAN), FileVerdict("b", Verdict.CLEAN)), (low,), ("x",))
    two = ScanReport((FileVerdict("a", Verdict.INFECTED, ("bad",)),), (high,), ("y",), {"z": "died"})
    merged = merge([one, two])
    assert [(file.path, file.verdict) for file in merged.files] == [("a", Verdict.INFECTED), ("b", Verdict.CLEAN)]
    assert merged.findings == (high, low)
    assert ScanReport.from_dict(merged.to_dict()) == merged
