"""Installed packages matched against the installation's advisories, as a scan keeps them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from mop.advisories.selectors import audit, knowledge
from mop.findings.selectors import DEPENDENCIES
from mop.scanning.dependencies.packages import Package
from mop.scanning.findings import ScanReport


@dataclass(frozen=True)
class Audited:
    """What advisories say of packages.

    Attributes:
        report: its findings.
        facts: what the packages were matched against: `source`, `dated`, `digest`, `not_audited` (how many nobody could
            tell of), `private` (names of private wheels among them), and `told`, the same in words.
    """

    report: ScanReport
    facts: dict[str, Any]


def audit_installed(packages: Sequence[Sequence[Any]], *, private: Collection[str] = ()) -> Audited:
    """Match what is installed. May ask a service over the network for up to a minute: never within a transaction.

    Args:
        packages: [name, version, ...] of each.
        private: canonical names of those that came as private wheels.
    """
    known = knowledge()
    found = audit([Package.of(name, version) for name, version, *_ in packages], private=frozenset(private))
    left = len(found.not_audited)
    dated = found.dated.date().isoformat() if found.dated else ""
    facts = {"source": found.source, "dated": dated, "digest": known.digest, "not_audited": left}
    facts["private"] = sorted(private)
    facts["told"] = _told(len(packages), left, found.source, dated)
    return Audited(ScanReport(files=(), findings=found.findings, scanners=(DEPENDENCIES,)), facts)


def _told(packages: int, left: int, source: str, dated: str) -> str:
    if packages and left >= packages:
        return "none of them audited"
    by = {"osv": "the OSV service", "imported": "imported advisories"}.get(source, source)
    return f"audited against {by}{f' of {dated}' if dated else ''}" + (f", {left} of them not" if left else "")
