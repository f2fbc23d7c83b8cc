"""A scan report as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from mop.scanning.findings import Finding, ScanReport, Severity
from mop.scanning.policy import Waiver

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
# a number out of 10, by which hosts sort; the middle of each severity's part of CVSS
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
_ENVIRONMENT = "environment:"
_REQUIREMENTS = "src/requirements.txt"
_LINE = re.compile(r"line ([1-9][0-9]{0,8})\b")
_BYTE = re.compile(r"byte ([0-9]{1,15})\b")


def to_sarif(report: ScanReport, *, version: str, waived: Iterable[tuple[Finding, Waiver]] = ()) -> dict[str, Any]:
    """The report as one SARIF run.

    Args:
        report: what the scanners found.
        version: MOP's.
        waived: findings that a waiver lifts, each with it; they are results with a suppression.

    Returns:
        A JSON-like object. Paths are relative to the model folder (`%SRCROOT%`); a finding in the environment is placed
        at src/requirements.txt, where it is fixed.
    """
    waivers = {_fingerprint(finding): waiver for finding, waiver in waived}
    rules = {_rule_id(finding): finding for finding in reversed(report.findings)}
    places = {name: place for place, name in enumerate(sorted(rules))}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "MOP",
                        "version": version,
                        "rules": [_rule(name, rules[name]) for name in places],
                    }
                },
                "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The model folder."}}},
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": not report.incomplete,
                        "toolExecutionNotifications": [
                            {
                                "level": "error",
                                "message": {"text": f"The scanner {name} did not finish: {why}"},
                            }
                            for name, why in sorted(report.incomplete.items())
                        ],
                    }
                ],
                "results": [_result(finding, places, waivers) for finding in report.findings],
            }
        ],
    }


def _rule(name: str, finding: Finding) -> dict[str, Any]:
    """A rule as its worst finding shows it: severities of a rule may differ from finding to finding."""
    return {
        "id": name,
        "shortDescription": {"text": f"{finding.scanner}: {finding.rule.replace('-', ' ')}"},
        "help": {"text": finding.hint},
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"tags": ["security"], "security-severity": _SCORES[finding.severity]},
    }


def _result(finding: Finding, places: Mapping[str, int], waivers: Mapping[str, Waiver]) -> dict[str, Any]:
    name, fingerprint = _rule_id(finding), _fingerprint(finding)
    result: dict[str, Any] = {
        "ruleId": name,
        "ruleIndex": places[name],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.hint}".strip()},
        "locations": [_location(finding)],
        "partialFingerprints": {"mopFinding/v1": fingerprint},
        "properties": {"severity": finding.severity.value, "details": finding.details},
    }
    if waiver := waivers.get(fingerprint):
        said = f"{waiver.reason} ({waiver.owner}, until {waiver.until.isoformat()})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": said}]
    return result


def _location(finding: Finding) -> dict[str, Any]:
    if finding.path.startswith(_ENVIRONMENT):
        return {
            "physicalLocation": {"artifactLocation": _artifact(_REQUIREMENTS)},
            "logicalLocations": [{"fullyQualifiedName": finding.path, "kind": "package"}],
        }
    file, container, _ = finding.path.partition("!")
    place: dict[str, Any] = {"artifactLocation": _artifact(file)}
    region = _region(finding.position)
    if region and not container:  # a position in a part is none in the file
        place["region"] = region
    location: dict[str, Any] = {"physicalLocation": place}
    if container:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path, "kind": "member"}]
    return location


def _artifact(path: str) -> dict[str, str]:
    """A relative URI; a name that begins as an address or a root is none there."""
    return {"uri": quote(path.lstrip("/"), safe="/", errors="backslashreplace"), "uriBaseId": "%SRCROOT%"}


def _region(position: str) -> dict[str, int]:
    if line := _LINE.search(position):
        return {"startLine": int(line[1])}
    if byte := _BYTE.search(position):
        return {"byteOffset": int(byte[1])}
    return {}


def _rule_id(finding: Finding) -> str:
    return f"{finding.scanner}/{finding.rule}"


def _fingerprint(finding: Finding) -> str:
    """What makes it the same finding in the next version of the folder: not its words, nor its line."""
    same = [finding.scanner, finding.rule, finding.path, finding.details.get("identifier", "")]
    return hashlib.sha256(json.dumps(same).encode()).hexdigest()
