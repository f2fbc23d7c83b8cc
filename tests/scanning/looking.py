"""Scanners run over small folders, in this process and in the cage."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mop.scanning.findings import Finding, ScanReport, merge
from mop.scanning.run import run_scanners
from mop.scanning.scanner import Scanner, Subject
from support.cage import scan_cage


def scanned(scanner: Scanner, subject: Subject | Path) -> ScanReport:
    """What one scanner says, in this process."""
    subject = subject if isinstance(subject, Subject) else Subject(subject)
    return merge(step for step in scanner.scan(subject) if isinstance(step, ScanReport))


def caged(subject: Subject | Path, *scanners: str) -> ScanReport:
    """What scanners say in the cage; all that there are for the subject when none is named."""
    subject = subject if isinstance(subject, Subject) else Subject(subject)
    wanted = scanners or None
    return asyncio.run(run_scanners(subject, cage=scan_cage(subject), log=lambda _line: None, scanners=wanted))


def rules(report: ScanReport) -> dict[str, list[str]]:
    """The rules broken by each path."""
    found: dict[str, list[str]] = {}
    for finding in report.findings:
        found.setdefault(finding.path, []).append(finding.rule)
    return found


def only(report: ScanReport) -> Finding:
    """The one finding."""
    (finding,) = report.findings
    return finding


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    """A folder with these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
