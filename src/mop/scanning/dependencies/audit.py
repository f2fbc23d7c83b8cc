"""From advisories to findings: one for each vulnerability of a package, and one for all that nobody could say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version

from mop.scanning.dependencies.advisory_matching import Match, fixed_versions, match
from mop.scanning.dependencies.packages import Package, read_version
from mop.scanning.dependencies.records import Advisory
from mop.scanning.findings import Finding, Severity

SCANNER = "dependencies"
ADVISORY_PAGE = "https://osv.dev/vulnerability/"
NO_NAME = "its name is none that a package of an index can have"
NO_VERSION = "its version is none by PEP 440, so advisories about ranges of versions cannot be compared with it"
PRIVATE = "a private wheel: advisories were looked up by its name, but no source knows what it holds"
_REMOVE = (
    "Remove it from src/requirements.txt, and look into every machine that ever installed it: it does harm on purpose."
)
_SHOWN = 10
_KEPT = 1000
_TEXT_LENGTH_MAX = 200
_IDENTIFIERS_FIRST = ("CVE-", "GHSA-", "PYSEC-")


@dataclass(frozen=True)
class NotAudited:
    """A package of which nobody can say that it has no advisory, and why."""

    package: Package
    reason: str


@dataclass(frozen=True)
class Audit:
    """What is known of an environment's packages.

    Attributes:
        findings: one for each vulnerability of a package; at the end one of the rule `not-audited`, if there is reason.
        not_audited: the packages of that finding.
        source: `osv`, `imported` or `off`.
        dated: how new the source's knowledge is; None when it was not asked or could not be.
    """

    findings: tuple[Finding, ...]
    not_audited: tuple[NotAudited, ...]
    source: str
    dated: dt.datetime | None


def audit_packages(
    packages: Iterable[Package],
    *,
    advisories: Mapping[str, Sequence[Advisory]],
    source: str,
    dated: dt.datetime | None,
    unanswered: Mapping[Package, str] | None = None,
    private: Collection[str] = (),
) -> Audit:
    """Match packages against advisories.

    Args:
        packages: what is installed.
        advisories: what the source knows, by canonical package name.
        source: how the source is called.
        dated: how new its knowledge is.
        unanswered: packages that it could not tell of, each with the reason.
        private: canonical names of packages that came as private wheels.
    """
    unanswered = unanswered or {}
    findings: list[Finding] = []
    not_audited: list[NotAudited] = []
    for package in sorted(set(packages)):
        known = advisories.get(package.name, ())
        matches = [(advisory, match(package, advisory)) for advisory in known]
        held = [advisory for advisory, how in matches if how == Match.AFFECTED]
        findings += [_finding(package, group) for group in _by_vulnerability(held)]
        undecided = [advisory.identifier for advisory, how in matches if how == Match.UNDECIDED]
        if reason := _why_not(package, unanswered.get(package, ""), undecided, private):
            not_audited.append(NotAudited(package, reason))
    findings.sort(key=lambda one: (-one.severity.rank, one.path, one.details["identifier"]))
    if not_audited:
        findings.append(_not_audited(not_audited))
    return Audit(tuple(findings), tuple(not_audited), source, dated)


def _why_not(package: Package, unanswered: str, undecided: list[str], private: Collection[str]) -> str:
    if unanswered:
        return unanswered
    if not package.has_name:
        return NO_NAME
    if read_version(package.version) is None:
        return NO_VERSION
    if undecided:
        return f"versions that {_listed(sorted(undecided))} names cannot be compared with it"
    return PRIVATE if package.name in private else ""


def _by_vulnerability(advisories: Sequence[Advisory]) -> list[list[Advisory]]:
    """Records that share an identifier or alias are about one vulnerability."""
    groups: list[tuple[set[str], list[Advisory]]] = []
    for advisory in sorted(advisories, key=lambda one: one.identifier):
        names, members = {advisory.identifier, *advisory.aliases}, [advisory]
        apart = []
        for group in groups:
            if names & group[0]:
                names |= group[0]
                members = [*group[1], *members]
            else:
                apart.append(group)
        groups = [*apart, (names, members)]
    return [members for _, members in groups]


def _finding(package: Package, group: Sequence[Advisory]) -> Finding:
    names = sorted({name for one in group for name in (one.identifier, *one.aliases)}, key=_preferred)
    summary = next((one.summary for one in group if one.summary), "")
    fixed = sorted({version for one in group for version in fixed_versions(package, one)})
    malware = any(one.is_malware for one in group)
    told = f": {_escaped(summary)}" if summary else ""
    name, version = _escaped(package.name), _escaped(package.version)
    return Finding(
        scanner=SCANNER,
        rule="malicious-package" if malware else "advisory",
        severity=_severity(group, malware=malware),
        path=f"environment:{name}-{version}",
        message=f"{name} {version} has the advisory {names[0]}{told}",
        hint=_REMOVE if malware else _hint(package, group, fixed),
        details={
            "identifier": names[0],
            "aliases": names[1:],
            "fixed": [str(one) for one in fixed],
            "url": f"{ADVISORY_PAGE}{min((one.identifier for one in group), key=_preferred)}",
        },
    )


def _severity(group: Sequence[Advisory], *, malware: bool) -> Severity:
    if malware:
        return Severity.CRITICAL
    stated = [one.severity for one in group if one.severity is not None]
    return max(stated, key=lambda severity: severity.rank, default=Severity.MEDIUM)


def _hint(package: Package, group: Sequence[Advisory], fixed: Sequence[Version]) -> str:
    """The lowest version that every record calls fixed and none calls affected."""
    for version in fixed:
        candidate = Package(package.name, str(version))
        if all(match(candidate, one) == Match.NOT_AFFECTED for one in group):
            return f"In src/requirements.txt require {package.name}>={version}."
    return f"No fixed version of {package.name} is known: do without it, or ask an administrator for a waiver."


def _not_audited(left: Sequence[NotAudited]) -> Finding:
    reasons = list(dict.fromkeys(one.reason for one in left))
    names = [f"{_escaped(one.package.name)} {_escaped(one.package.version)}" for one in left]
    noun = "package was" if len(left) == 1 else "packages were"
    return Finding(
        scanner=SCANNER,
        rule="not-audited",
        severity=Severity.LOW,
        path="environment:packages",
        message=(
            f"{len(left)} {noun} not audited, so nobody knows of advisories for: {_listed(names)}. "
            f"Why: {_escaped('; '.join(reasons[:_SHOWN]), 1000)}."
        ),
        hint="Ask the operator what `mop advisories status` says; use released versions of public packages.",
        details={
            "packages": [
                {"name": _escaped(one.package.name), "version": _escaped(one.package.version), "reason": one.reason}
                for one in left[:_KEPT]
            ],
            "count": len(left),
        },
    )


def _preferred(name: str) -> tuple[int, str]:
    """CVE first: the identifier that people and their tools know."""
    last = len(_IDENTIFIERS_FIRST)
    return next((place for place, begins in enumerate(_IDENTIFIERS_FIRST) if name.startswith(begins)), last), name


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _escaped(text: str, length_max: int = _TEXT_LENGTH_MAX) -> str:
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return printable if len(printable) <= length_max else f"{printable[: length_max - 1]}…"
