"""From advisories to findings: one for each vulnerability, and one for all that nobody could tell."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from mop.scanning.dependencies.audit import NO_NAME, NO_VERSION, PRIVATE, Audit, audit_packages
from mop.scanning.dependencies.packages import Package
from mop.scanning.dependencies.records import Advisory, read_record
from mop.scanning.findings import Finding, ScanReport, Severity
from mop.scanning.policy import Action, Waiver, decide
from support.osv import affects, record
from support.policies import default_policy

ALPHA = Package("alpha", "1.0")
OLD = ({"introduced": "0"}, {"fixed": "2.0"})


def advisory(identifier: str, *events: dict[str, str], name: str = "alpha", **more: Any) -> Advisory:
    return read_record(json.dumps(record(identifier, affected=[affects(name, *events or OLD)], **more)).encode())


def audited(*advisories: Advisory, packages: tuple[Package, ...] = (ALPHA,), **more: Any) -> Audit:
    known: dict[str, list[Advisory]] = {}
    for one in advisories:
        for name in one.packages:
            known.setdefault(name, []).append(one)
    return audit_packages(packages, advisories=known, source="imported", dated=None, **more)


def only(audit: Audit) -> Finding:
    (finding,) = audit.findings
    return finding


def test_a_finding_names_package_version_advisory_and_the_version_to_require():
    finding = only(audited(advisory("GHSA-1", summary="Reads beyond its end", aliases=["CVE-2026-1"])))
    assert finding == Finding(
        scanner="dependencies",
        rule="advisory",
        severity=Severity.MEDIUM,
        path="environment:alpha-1.0",
        message="alpha 1.0 has the advisory CVE-2026-1: Reads beyond its end",
        hint="In src/requirements.txt require alpha>=2.0.",
        details={
            "identifier": "CVE-2026-1",
            "aliases": ["GHSA-1"],
            "fixed": ["2.0"],
            "url": "https://osv.dev/vulnerability/GHSA-1",
        },
    )
    assert Finding.from_dict(json.loads(json.dumps(finding.to_dict()))) == finding


def test_records_that_share_a_name_are_one_vulnerability_with_all_names_and_the_worst_severity():
    audit = audited(
        advisory("PYSEC-7", aliases=["CVE-1"]),
        advisory(
            "GHSA-1", {"introduced": "0"}, {"fixed": "1.5"}, aliases=["CVE-2"], database_specific={"severity": "HIGH"}
        ),
        advisory("OSV-9", aliases=["CVE-1", "GHSA-1"], database_specific={"severity": "LOW"}),  # joins the other two
        advisory("GHSA-3", aliases=["CVE-3"]),
    )
    first, second = audit.findings
    assert (first.details["identifier"], first.details["aliases"]) == ("CVE-1", ["CVE-2", "GHSA-1", "PYSEC-7", "OSV-9"])
    assert (first.severity, first.details["fixed"]) == (Severity.HIGH, ["1.5", "2.0"])
    assert first.hint == "In src/requirements.txt require alpha>=2.0."  # at 1.5 the others still hold
    assert (second.details["identifier"], second.severity) == ("CVE-3", Severity.MEDIUM)


def test_without_a_fixed_version_the_hint_says_so():
    finding = only(audited(advisory("GHSA-1", {"introduced": "0"}, {"last_affected": "9"})))
    assert finding.hint.startswith("No fixed version of alpha is known")
    assert finding.details["fixed"] == []


def test_a_fix_of_an_older_line_is_not_offered():
    events = ({"introduced": "0"}, {"fixed": "0.5"}, {"introduced": "0.9"}, {"fixed": "1.2"})
    assert only(audited(advisory("GHSA-1", *events))).details["fixed"] == ["1.2"]


def test_malware_blocks_by_default_and_advisories_warn_and_what_is_not_audited_is_noted():
    audit = audited(
        advisory("MAL-2026-1", {"introduced": "0"}, name="evil"),
        advisory("GHSA-1", database_specific={"severity": "CRITICAL"}),
        packages=(ALPHA, Package("evil", "1"), Package("odd", "2004d")),
    )
    ordinary, malware, left = audit.findings
    assert (malware.rule, malware.severity) == ("malicious-package", Severity.CRITICAL)
    assert malware.hint.startswith("Remove it from src/requirements.txt")
    decision = decide(ScanReport((), audit.findings), default_policy(), (), today=dt.date(2026, 11, 25))
    assert (decision.blocked, decision.warned) == ((malware,), (ordinary,))
    assert default_policy().action(left) == Action.NOTE


def test_a_waiver_covers_a_vulnerability_by_any_of_its_names():
    finding = only(audited(advisory("GHSA-1", aliases=["CVE-1"])))
    for name, covered in (("CVE-1", True), ("GHSA-1", True), ("CVE-2", False), ("", True)):
        waiver = Waiver("dependencies", "advisory", finding.path, "olivia", "not reached", dt.date(2026, 12, 1), name)
        assert waiver.covers(finding, dt.date(2026, 11, 25)) == covered


def test_what_nobody_can_tell_is_one_finding_that_names_the_packages_and_the_reasons():
    beta, private = Package("beta", "1.0"), Package("ours", "1.0")
    packages = (ALPHA, beta, private, Package("odd", "2004d"), Package("a b\x1b[1m", "1"), Package("gone", "1"))
    audit = audited(
        advisory("GHSA-1", {"introduced": "0"}, {"fixed": "soon"}, name="beta"),
        packages=packages,
        unanswered={Package("gone", "1"): "nobody answered"},
        private={"ours"},
    )
    finding = only(audit)
    reasons = {one.package.name: one.reason for one in audit.not_audited}
    assert reasons == {
        "a b\x1b[1m": NO_NAME,
        "beta": "versions that GHSA-1 names cannot be compared with it",
        "gone": "nobody answered",
        "odd": NO_VERSION,
        "ours": PRIVATE,
    }
    assert (finding.rule, finding.severity, finding.path) == ("not-audited", Severity.LOW, "environment:packages")
    assert finding.message.startswith(
        "5 packages were not audited, so nobody knows of advisories for: a b?[1m 1, beta 1.0,"
    )
    assert "nobody answered" in finding.message
    assert finding.details["count"] == 5
    assert {one["name"] for one in finding.details["packages"]} == {"a b?[1m", "beta", "gone", "odd", "ours"}


def test_a_private_wheel_with_the_name_of_a_vulnerable_package_has_its_advisories_too():
    audit = audited(advisory("GHSA-1"), private={"alpha"})
    assert [finding.rule for finding in audit.findings] == ["advisory", "not-audited"]


def test_a_clean_environment_has_no_findings():
    assert audited(advisory("GHSA-1"), packages=(Package("alpha", "2.0"), Package("beta", "1"))).findings == ()


@pytest.mark.parametrize("bad", ["\x1b[31mred", "\u202egnp", "\ud800", "x" * 5000])
def test_names_versions_and_summaries_of_strangers_are_escaped_and_short(bad: str):
    audit = audited(
        advisory("GHSA-1", {"introduced": "0"}, summary=bad.encode("utf-8", "replace").decode()),
        packages=(ALPHA, Package(bad, "1"), Package("odd", bad)),
    )
    for finding in audit.findings:
        assert finding.message.isprintable()
        assert len(finding.message) < 3000
        json.dumps(finding.to_dict(), ensure_ascii=False).encode()


def test_many_packages_are_counted_and_the_first_are_named():
    audit = audited(packages=tuple(Package(f"p{number:05}", "?") for number in range(5000)))
    finding = only(audit)
    assert "and 4990 more" in finding.message
    assert (finding.details["count"], len(finding.details["packages"])) == (5000, 1000)


def test_a_package_has_its_canonical_name_and_the_version_that_advisories_know():
    assert Package.of("Zope.Interface", "7.0+local") == Package("zope-interface", "7.0+local")
    assert Package.of("torch", "2.1.0+cu118").public_version == "2.1.0"
