"""What scanners say: a verdict for every file, and findings with their place, their reason and their hint."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any


class Severity(enum.StrEnum):
    """How bad a finding is; the policy decides from it whether a revision may run."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place from 0, the least."""
        return [*Severity].index(self)


class Verdict(enum.StrEnum):
    """What became of one file. What could not be looked at whole is never called clean."""

    CLEAN = "clean"
    SUSPICIOUS = "suspicious"
    INFECTED = "infected"
    NOT_FULLY_SCANNED = "not_fully_scanned"


SCANNER_ENDED = "scanner-ended"  # the rule of a file that ended the scanner which looked at it
COSTLY = "costly-structure"  # the rule of a file that takes more to read than its size is worth
_TOO_SLOW = "looking at it takes more processor time than"
_WORST_FIRST = (Verdict.INFECTED, Verdict.SUSPICIOUS, Verdict.NOT_FULLY_SCANNED, Verdict.CLEAN)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a file from those of its parts; clean when there are none."""
    found = set(verdicts)
    return next((verdict for verdict in _WORST_FIRST if verdict in found), Verdict.CLEAN)


@dataclass(frozen=True)
class Finding:
    """One thing that a scanner found.

    Attributes:
        scanner: name of the scanner, for example "pickle".
        rule: name of its rule, for example "code-execution"; scanner and rule together name a kind of finding.
        severity: how bad it is.
        path: the file below the model folder (`model/a.pkl`), or in the environment (`environment:six-1.16.0`); a part
            inside a container follows after `!` (`model/a.zip!inner/b.pkl`).
        message: what was seen, in one sentence that a data scientist understands; never a secret's value whole.
        hint: what to do about it.
        position: where in the file, for example "line 12" or "byte 2048"; "" when it is the file as a whole.
        details: further facts for machines, JSON-like (identifiers of an advisory, the global's name).
    """

    scanner: str
    rule: str
    severity: Severity
    path: str
    message: str
    hint: str
    position: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {**asdict(self), "severity": self.severity.value}

    @staticmethod
    def from_dict(value: dict[str, Any]) -> Finding:
        """From the JSON form."""
        return Finding(**{**value, "severity": Severity(value["severity"])})


@dataclass(frozen=True)
class FileVerdict:
    """What is known of one file after all scanners that look at files.

    Attributes:
        path: the file below the model folder.
        verdict: the worst of its parts.
        reasons: why it is not clean, one sentence each; empty for a clean file.
    """

    path: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"path": self.path, "verdict": self.verdict.value, "reasons": list(self.reasons)}

    @staticmethod
    def from_dict(value: dict[str, Any]) -> FileVerdict:
        """From the JSON form."""
        return FileVerdict(value["path"], Verdict(value["verdict"]), tuple(value["reasons"]))


@dataclass(frozen=True)
class ScanReport:
    """The result of all scanners that ran.

    Attributes:
        files: one verdict for every file of the model folder, in the order of their paths.
        findings: everything found, worst first.
        scanners: names of the scanners that ran to their end.
        incomplete: why a scanner did not, by its name; the revision is then not fully scanned.
    """

    files: tuple[FileVerdict, ...]
    findings: tuple[Finding, ...]
    scanners: tuple[str, ...] = ()
    incomplete: dict[str, str] = field(default_factory=dict)

    @property
    def depends_on_host(self) -> bool:
        """Whether something was not looked at whole for want of time or memory: another look may see it."""
        ended = any(finding.rule == SCANNER_ENDED or _TOO_SLOW in finding.message for finding in self.findings)
        return ended or bool(self.incomplete)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "files": [file.to_dict() for file in self.files],
            "findings": [finding.to_dict() for finding in self.findings],
            "scanners": list(self.scanners),
            "incomplete": self.incomplete,
        }

    @staticmethod
    def from_dict(value: dict[str, Any]) -> ScanReport:
        """From the JSON form."""
        return ScanReport(
            files=tuple(FileVerdict.from_dict(file) for file in value["files"]),
            findings=tuple(Finding.from_dict(finding) for finding in value["findings"]),
            scanners=tuple(value["scanners"]),
            incomplete=dict(value["incomplete"]),
        )


def too_slow(seconds: float) -> str:
    """The reason why a file was not looked at whole when its time was over."""
    return f"{_TOO_SLOW} {seconds:.3g} s"


def not_seen_whole(
    scanner: str,
    path: str,
    reason: str,
    *,
    hint: str,
    rule: str = "not-fully-scanned",
    severity: Severity = Severity.MEDIUM,
) -> ScanReport:
    """What a scanner says of a file that it could not look at whole: one finding, and a verdict that is not clean."""
    message = f"{path} was not looked at whole: {reason}."
    finding = Finding(scanner=scanner, rule=rule, severity=severity, path=path, message=message, hint=hint)
    return ScanReport((FileVerdict(path, Verdict.NOT_FULLY_SCANNED, (message,)),), (finding,))


def costly(scanner: str, path: str, reason: str, *, hint: str) -> ScanReport:
    """What a scanner says of a file that takes more to read than its size is worth."""
    return not_seen_whole(scanner, path, reason, hint=hint, rule=COSTLY, severity=Severity.CRITICAL)


def merge(reports: Iterable[ScanReport]) -> ScanReport:
    """One report of several scanners' reports on the same folder."""
    verdicts: dict[str, list[FileVerdict]] = {}
    findings: list[Finding] = []
    scanners: list[str] = []
    incomplete: dict[str, str] = {}
    for report in reports:
        for file in report.files:
            verdicts.setdefault(file.path, []).append(file)
        findings += report.findings
        scanners += report.scanners
        incomplete |= report.incomplete
    files = tuple(
        FileVerdict(
            path,
            worst(file.verdict for file in said),
            tuple(dict.fromkeys(reason for file in said for reason in file.reasons)),
        )
        for path, said in sorted(verdicts.items())
    )
    ordered = sorted(
        findings, key=lambda finding: (-finding.severity.rank, finding.path, finding.scanner, finding.rule)
    )
    return ScanReport(files, tuple(ordered), tuple(dict.fromkeys(scanners)), incomplete)
