"""Scanner `source`: Python anywhere in the folder for what bandit calls severe; beside the weights for what runs."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mop.scanning.deadline import DeadlineError, deadline
from mop.scanning.findings import FileVerdict, Finding, ScanReport, Severity, Verdict, costly, not_seen_whole, too_slow
from mop.scanning.limits import MIB
from mop.scanning.python_acts import PYTHON_BYTES_MAX, Act, acts_of
from mop.scanning.reader import TooMuchError
from mop.scanning.scanner import Looking, Subject
from mop.scanning.scanners.notebook import python_of

NAME = "source"
SECONDS = 60.0
"""Of processor time, for a file that may be read."""
FINDINGS_MAX = 20
"""Of one file; one more tells how many were left out."""

NOTEBOOK_BYTES_MAX = 16 * MIB
_OWN_FOLDERS = ("src/", "privatepkgs/")
"""What is in them the service imports by itself, in its cage; elsewhere code comes with a model that is loaded."""
_SUFFIXES = (".py", ".pyw")
_NOTEBOOK = ".ipynb"
_UNREAD_HINT = "Make it a file that Python 3.11 can read, of ordinary size; remove it if it is not needed."
_BESIDE_HINT = "Move the code into src/, where it is reviewed as the model's own, and load the model from there."
_HINTS = {
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
        """Python and notebooks anywhere."""
        return path.lower().endswith((*_SUFFIXES, _NOTEBOOK))

    def scan(self, subject: Subject) -> Iterator[Looking | ScanReport]:
        """One verdict for each of them."""
        for name, path in subject.files():
            if self.is_for(name):
                yield Looking(name)
                yield _look(name, path, min(SECONDS, subject.limits.seconds))


def _look(name: str, path: Path, seconds: float) -> ScanReport:
    issues: list[Any] = []
    acts: list[Act] = []
    manager = _manager()
    try:
        with deadline(seconds):
            unread = _read(manager, name, path, issues, acts)
    except OSError as error:
        unread = f"it cannot be read: {error.strerror}"
    except DeadlineError:
        return costly(NAME, name, too_slow(seconds), hint=_UNREAD_HINT)
    except TooMuchError as error:
        return costly(NAME, name, str(error), hint=_BESIDE_HINT)
    except Exception as error:  # noqa: BLE001 - a file may break any parser; it is then not clean
        unread = f"it cannot be followed: {type(error).__name__}"
    if unread and not acts:
        return not_seen_whole(NAME, name, unread, hint=_UNREAD_HINT)
    return _report(name, issues, acts)


def _read(manager: Any, name: str, path: Path, issues: list[Any], acts: list[Act]) -> str:
    """Collect what a file does; why it was not read, if so."""
    if not name.lower().endswith(_NOTEBOOK):
        if not name.startswith(_OWN_FOLDERS):
            acts += _beside_weights(path)
        return _ask_bandit(manager, path, issues)
    if path.stat().st_size > NOTEBOOK_BYTES_MAX:
        return f"it is larger than {NOTEBOOK_BYTES_MAX:,} bytes"
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as file:
        file.write(python_of(path.read_bytes()))
        file.flush()
        return _ask_bandit(manager, Path(file.name), issues)


def _beside_weights(path: Path) -> list[Act]:
    """What a file does by itself; nothing of one that this Python does not read, of which bandit tells.

    Raises:
        TooMuchError: it is made so that this is not seen.
    """
    if path.stat().st_size > PYTHON_BYTES_MAX:
        raise TooMuchError(f"it is code beside the weights, and larger than {PYTHON_BYTES_MAX:,} bytes")
    try:
        return acts_of(path.read_bytes())
    except (SyntaxError, ValueError):
        return []
    except (RecursionError, MemoryError):
        raise TooMuchError("it is code beside the weights, and nested too deep") from None


def _report(name: str, issues: list[Any], acts: list[Act]) -> ScanReport:
    if not issues and not acts:
        return ScanReport((FileVerdict(name, Verdict.CLEAN),), ())
    issues.sort(key=lambda issue: (issue.lineno, issue.test_id))
    findings = [_beside(name, act) for act in acts[:FINDINGS_MAX]]
    findings += [_finding(name, issue) for issue in issues[:FINDINGS_MAX]]
    if len(issues) > FINDINGS_MAX:
        findings.append(_left_out(name, len(issues) - FINDINGS_MAX))
    reasons = tuple(finding.message for finding in findings)
    verdict = Verdict.INFECTED if any(act.by_itself for act in acts) else Verdict.SUSPICIOUS
    return ScanReport((FileVerdict(name, verdict, reasons),), tuple(findings))


def _ask_bandit(manager: Any, path: Path, issues: list[Any]) -> str:
    """Collect what bandit calls severe in a file; why it did not read it, if so."""
    if path.stat().st_size > PYTHON_BYTES_MAX:
        return f"it is larger than {PYTHON_BYTES_MAX:,} bytes"
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


def _beside(name: str, act: Act) -> Finding:
    when = "when it is imported or used with the model" if act.by_itself else "in a function"
    return Finding(
        scanner=NAME,
        rule="code-beside-weights",
        severity=Severity.CRITICAL if act.by_itself else Severity.HIGH,
        path=name,
        message=f"{name} line {act.line}: {act.what} {when}.",
        hint=_BESIDE_HINT,
        position=f"line {act.line}",
    )


def _finding(name: str, issue: Any) -> Finding:
    return Finding(
        scanner=NAME,
        rule=str(issue.test).replace("_", "-"),
        severity=Severity.MEDIUM,
        path=name,
        message=f"{name} line {issue.lineno}: {' '.join(str(issue.text).split())[:300]}",
        hint=_HINTS.get(issue.test_id, "Write it in the way that bandit recommends for this test."),
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
        hint="Fix those that are listed, and scan again.",
    )
