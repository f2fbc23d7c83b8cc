"""Scanner `source`: Python of src/ for what bandit calls severe."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mop.scanning.deadline import DeadlineError, deadline
from mop.scanning.findings import FileVerdict, Finding, ScanReport, Severity, Verdict, not_seen_whole, too_slow
from mop.scanning.limits import MIB
from mop.scanning.scanner import Looking, Subject

NAME = "source"
BYTES_MAX = MIB // 4
"""Of one file; what people write by hand is far smaller, and its syntax tree can take a thousand times its text."""
SECONDS = 30.0
FINDINGS_MAX = 20
"""Of one file; one more tells how many were left out."""

_FOLDER = "src/"
_SUFFIXES = (".py", ".pyw")
_UNREAD_MEND = "Make it a file that Python 3.11 can read, of ordinary size; remove it from src/ if it is not needed."
_MENDS = {
    "B201": "Do not run a debug server; MOP calls the model itself.",
    "B202": "Check each member's name before it is unpacked, or pass filter='data' to extractall.",
    "B324": "Use SHA-256; where the digest protects nothing, pass usedforsecurity=False.",
    "B501": "Leave the verification of certificates on.",
    "B602": "Call the program with a list of arguments and without a shell.",
    "B605": "Call the program with subprocess.run, a list of arguments and without a shell.",
    "B613": "Remove the characters that reorder text: the line does something else than it shows.",
}


class Source:
    """Asks bandit about each file, its suppressing comments not heard."""

    name = NAME

    def is_for(self, path: str) -> bool:
        """Python of src/."""
        return path.startswith(_FOLDER) and path.lower().endswith(_SUFFIXES)

    def scan(self, subject: Subject) -> Iterator[Looking | ScanReport]:
        """One verdict for each Python file of src/."""
        for name, path in subject.files():
            if self.is_for(name):
                yield Looking(name)
                yield _look(name, path, min(SECONDS, subject.limits.seconds))


def _look(name: str, path: Path, seconds: float) -> ScanReport:
    issues: list[Any] = []
    manager = _manager()
    try:
        with deadline(seconds):
            unread = _ask_bandit(manager, path, issues)
    except OSError as error:
        unread = f"it can not be read: {error.strerror}"
    except DeadlineError:
        unread = too_slow(seconds)
    except Exception as error:  # noqa: BLE001 - a file may break any parser; it is then not clean
        unread = f"it can not be followed: {type(error).__name__}"
    return not_seen_whole(NAME, name, unread, mend=_UNREAD_MEND) if unread else _report(name, issues)


def _report(name: str, issues: list[Any]) -> ScanReport:
    if not issues:
        return ScanReport((FileVerdict(name, Verdict.CLEAN),), ())
    issues.sort(key=lambda issue: (issue.lineno, issue.test_id))
    findings = [_finding(name, issue) for issue in issues[:FINDINGS_MAX]]
    if len(issues) > FINDINGS_MAX:
        findings.append(_left_out(name, len(issues) - FINDINGS_MAX))
    reasons = tuple(finding.message for finding in findings)
    return ScanReport((FileVerdict(name, Verdict.SUSPICIOUS, reasons),), tuple(findings))


def _ask_bandit(manager: Any, path: Path, issues: list[Any]) -> str:
    """Collect what bandit calls severe in a file; why it did not read it, if so."""
    if path.stat().st_size > BYTES_MAX:
        return f"it is larger than {BYTES_MAX:,} bytes"
    manager.results, manager.skipped = [], []
    manager.files_list = [str(path)]
    manager.run_tests()
    issues += manager.get_issue_list(sev_level="HIGH", conf_level="LOW")
    return "; ".join(reason for _, reason in manager.skipped)


@cache
def _manager() -> Any:
    # they open files of their own at import, and take half a second
    from bandit.core.config import BanditConfig  # noqa: PLC0415
    from bandit.core.manager import BanditManager  # noqa: PLC0415

    logging.getLogger("bandit").setLevel(logging.CRITICAL)  # it would quote the file
    # debug: a test of bandit's that fails on a file makes it skip the file, in place of going on without that test
    return BanditManager(BanditConfig(), "file", debug=True, quiet=True, ignore_nosec=True)


def _finding(name: str, issue: Any) -> Finding:
    return Finding(
        scanner=NAME,
        rule=str(issue.test).replace("_", "-"),
        severity=Severity.MEDIUM,
        path=name,
        message=f"{name} line {issue.lineno}: {' '.join(str(issue.text).split())[:300]}",
        mend=_MENDS.get(issue.test_id, "Write it in the way that bandit recommends for this test."),
        position=f"line {issue.lineno}",
        details={"test": issue.test_id, "confidence": str(issue.confidence).lower(), "cwe": issue.cwe.id},
    )


def _left_out(name: str, count: int) -> Finding:
    return Finding(
        scanner=NAME,
        rule="more",
        severity=Severity.MEDIUM,
        path=name,
        message=f"{name} has {count:,} more severe places.",
        mend="Mend those that are listed, and scan again.",
    )
