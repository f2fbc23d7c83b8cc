"""A report as SARIF: what hosts of code and editors read of it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from mop.scanning.findings import Finding, ScanReport, Severity, merge
from mop.scanning.policy import Policy, Waiver, decide
from mop.scanning.sarif import to_sarif

TODAY = dt.date(2026, 11, 25)


def finding(**changes: Any) -> Finding:
    values: dict[str, Any] = {
        "scanner": "secrets",
        "rule": "aws-key",
        "severity": Severity.MEDIUM,
        "path": "src/inference.py",
        "message": "An AWS key.",
        "hint": "Revoke it.",
        "position": "line 12",
    }
    return Finding(**{**values, **changes})


def run_of(*findings: Finding, **more: Any) -> dict[str, Any]:
    report = merge([ScanReport((), findings, ("secrets",))])
    document = to_sarif(report, version="1.2.3", **more)
    assert json.loads(json.dumps(document)) == document
    assert (document["version"], len(document["runs"])) == ("2.1.0", 1)
    (run,) = document["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    return dict(run)


def result_of(**changes: Any) -> dict[str, Any]:
    (result,) = run_of(finding(**changes))["results"]
    return dict(result)


def test_a_finding_is_a_result_with_rule_level_place_and_what_to_do():
    result = result_of()
    assert (result["ruleId"], result["level"]) == ("secrets/aws-key", "warning")
    assert result["message"] == {"text": "An AWS key. Revoke it."}
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "src/inference.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 12},
            }
        }
    ]
    assert "suppressions" not in result


@pytest.mark.parametrize(
    ("severity", "level"),
    [(Severity.CRITICAL, "error"), (Severity.HIGH, "error"), (Severity.MEDIUM, "warning"), (Severity.LOW, "note")],
)
def test_the_level_follows_the_severity(severity: Severity, level: str):
    assert result_of(severity=severity)["level"] == level


def test_every_rule_stands_once_as_its_worst_finding_shows_it():
    run = run_of(finding(severity=Severity.LOW), finding(path="b", severity=Severity.HIGH), finding(rule="other"))
    rules = run["tool"]["driver"]["rules"]
    assert [(one["id"], one["defaultConfiguration"]["level"]) for one in rules] == [
        ("secrets/aws-key", "error"),
        ("secrets/other", "warning"),
    ]
    assert len(run["results"]) == 3


@pytest.mark.parametrize(
    "path",
    [
        "model/a b.pkl",
        "https://evil.example/x",
        "//evil.example/x",
        "/etc/passwd",
        "a%2e%2e/b",
        "model/\udcff.pkl",
        "c:x",
        "é/#?x",
    ],
)
def test_a_place_is_a_relative_uri_whatever_the_file_is_called(path: str):
    uri = result_of(path=path)["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert urljoin("file:///base/", uri).startswith("file:///base/")
    assert uri.isascii()


def test_a_part_of_a_container_is_told_by_its_container_and_its_own_name():
    (location,) = result_of(path="model/a.zip!inner/b.pkl", position="byte 7")["locations"]
    assert location["physicalLocation"] == {"artifactLocation": {"uri": "model/a.zip", "uriBaseId": "%SRCROOT%"}}
    assert location["logicalLocations"] == [{"fullyQualifiedName": "model/a.zip!inner/b.pkl", "kind": "member"}]


def test_a_position_in_bytes_is_a_region():
    assert result_of(position="byte 2048")["locations"][0]["physicalLocation"]["region"] == {"byteOffset": 2048}
    assert "region" not in result_of(position="somewhere")["locations"][0]["physicalLocation"]


def test_a_package_is_placed_where_it_is_fixed():
    (location,) = result_of(path="environment:six-1.16.0", position="")["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "src/requirements.txt"
    assert location["logicalLocations"] == [{"fullyQualifiedName": "environment:six-1.16.0", "kind": "package"}]


def test_what_a_waiver_lifts_is_suppressed_with_its_reason_and_the_rest_is_not():
    found = (finding(), finding(path="src/other.py"))
    waiver = Waiver("secrets", "aws-key", "src/inference.py", "olivia", "a test key", dt.date(2026, 12, 31))
    decision = decide(ScanReport((), found), Policy(block=Severity.LOW), [waiver], today=TODAY)
    first, second = run_of(*found, waived=decision.waived)["results"]
    assert first["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "a test key (olivia, until 2026-12-31)"}
    ]
    assert "suppressions" not in second


def test_the_same_finding_has_the_same_fingerprint_on_another_line():
    first, second = result_of(), result_of(position="line 99", message="An AWS key, again.")
    assert first["partialFingerprints"] == second["partialFingerprints"]
    advisories = [finding(path="environment:a-1", details={"identifier": name}) for name in ("CVE-1", "CVE-2")]
    one, other = run_of(*advisories)["results"]
    assert one["partialFingerprints"] != other["partialFingerprints"]


def test_a_scan_that_did_not_come_to_its_end_was_not_successful():
    assert run_of()["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    report = ScanReport((), (), (), {"wheels": "it ended with status 1"})
    (invocation,) = to_sarif(report, version="1")["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "wheels" in invocation["toolExecutionNotifications"][0]["message"]["text"]
