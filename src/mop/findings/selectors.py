"""Reads of scans, findings, verdicts and waivers; callers check first who may see them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from mop.errors import NotFoundError
from mop.findings.models import Rescan, Scan, ScanFinding, ScannedFile, Waiver
from mop.registry.models import Model, Revision
from mop.scanning.findings import FileVerdict, Finding, ScanReport, Severity, Verdict

ENVIRONMENT = "environment:"
DEPENDENCIES = "dependencies"
SEVERITIES = tuple(severity.value for severity in reversed(Severity))
VERDICTS = (Verdict.INFECTED.value, Verdict.SUSPICIOUS.value, Verdict.NOT_FULLY_SCANNED.value, Verdict.CLEAN.value)


def current_scan(revision: Revision) -> Scan | None:
    """The newest scan of a revision, with its files and findings; None when it was not scanned yet."""
    return Scan.objects.filter(revision=revision, is_current=True).first()


def scanned_environment(revision_id: uuid.UUID) -> str:
    """The digest of the environment that a revision's newest scan looked at; empty when there is none."""
    rows = Scan.objects.filter(revision_id=revision_id, is_current=True).values_list("environment_digest", flat=True)
    return rows.first() or ""


@dataclass(frozen=True)
class EnvironmentSeen:
    """What the newest scan saw of an environment, its advisories left out."""

    key: str
    digest: str
    packages: tuple[tuple[str, str, tuple[str, ...]], ...]
    private: tuple[str, ...]
    findings: tuple[Finding, ...]


def environment_as_seen(revision_id: uuid.UUID) -> EnvironmentSeen | None:
    """What was seen of a revision's environment; None when no scan looked at it."""
    scan = Scan.objects.filter(revision_id=revision_id, is_current=True, is_complete=True).first()
    if scan is None:
        return None
    rows = ScanFinding.objects.filter(scan=scan, path__startswith=ENVIRONMENT).exclude(scanner=DEPENDENCIES)
    return EnvironmentSeen(
        key=scan.environment_key,
        digest=scan.environment_digest,
        packages=tuple((name, version, tuple(requires)) for name, version, requires in scan.packages),
        private=tuple(scan.advisories.get("private", ())),
        findings=tuple(as_finding(row) for row in rows),
    )


def environment_that_was_built(revision_id: uuid.UUID) -> bool:
    """Whether an environment was ever built for a revision."""
    return Revision.objects.filter(pk=revision_id).exclude(environment_key="").exists()


def require_scan(revision: Revision) -> Scan:
    """The newest scan of a revision.

    Raises:
        NotFoundError: it was not scanned yet.
    """
    scan = current_scan(revision)
    if scan is None:
        raise NotFoundError(
            f"{revision} was not scanned yet.",
            hint="Its pipeline scans it; an owner can ask for a scan once it has ended.",
        )
    return scan


def findings_of(scan: Scan, *, severity: str = "", scanner: str = "", action: str = "") -> QuerySet[ScanFinding]:
    """A scan's findings, worst first; only those of a severity, scanner or action where one is named."""
    wanted = {"severity": severity, "scanner": scanner, "action": action}
    rows = ScanFinding.objects.filter(scan=scan, **{name: value for name, value in wanted.items() if value})
    return rows.select_related("waiver", "waiver__owner")


def waived_findings(scan: Scan) -> QuerySet[ScanFinding]:
    """A scan's findings that only a waiver keeps from blocking, whose waiver holds today."""
    return ScanFinding.objects.filter(
        scan=scan, waiver__isnull=False, waiver__ended_at=None, waiver__until__gte=timezone.localdate()
    )


def lapsed_findings(scan: Scan) -> QuerySet[ScanFinding]:
    """A scan's findings whose waiver ended since it was decided about, so that they block from then on."""
    ended = Q(waiver__ended_at__isnull=False) | Q(waiver__until__lt=timezone.localdate())
    return ScanFinding.objects.filter(ended, scan=scan)


def files_of(scan: Scan, *, verdict: str = "", search: str = "") -> QuerySet[ScannedFile]:
    """A scan's files in the order of their paths; only those with a verdict, or whose path holds a text."""
    rows = ScannedFile.objects.filter(scan=scan)
    if verdict:
        rows = rows.filter(verdict=verdict)
    return rows.filter(path__icontains=search) if search else rows


def scanners_with_findings(scan: Scan) -> list[tuple[str, int]]:
    """Each scanner that found something, with how much is kept of it."""
    rows = ScanFinding.objects.filter(scan=scan).order_by("scanner").values_list("scanner")
    return list(rows.annotate(count=Count("id")))


def scans_of(revision: Revision) -> QuerySet[Scan]:
    """Every scan of a revision, newest first; of older ones only the counts are kept."""
    return Scan.objects.filter(revision=revision)


def scan_and_rescan(revision: Revision) -> tuple[Scan | None, Rescan | None]:
    """The newest scan, and the one that somebody asked for, as both stand in one moment."""
    scan = Scan.objects.filter(revision=revision, is_current=True).select_related("revision__rescan").first()
    return (scan, getattr(scan.revision, "rescan", None)) if scan else (None, rescan_of(revision))


def rescan_of(revision: Revision) -> Rescan | None:
    """The scan that somebody asked for and that waits, runs or failed."""
    return Rescan.objects.filter(revision=revision).first()


def revisions_scanned_again() -> QuerySet[Rescan, uuid.UUID]:
    """Ids of the revisions that a scan which somebody asked for waits for or looks at."""
    return Rescan.objects.filter(failure__isnull=True).values_list("revision_id", flat=True)


def waivers_of(model: Model) -> QuerySet[Waiver]:
    """The waivers of a model, newest first, the ended ones included."""
    return Waiver.objects.filter(model=model).select_related("owner", "created_by")


def get_waiver(model: Model, waiver_id: int) -> Waiver:
    """One waiver of a model.

    Raises:
        NotFoundError: the model has none of this number.
    """
    waiver = waivers_of(model).filter(pk=waiver_id).first()
    if waiver is None:
        raise NotFoundError(f"{model.name} has no waiver {waiver_id}.")
    return waiver


def report_of(scan: Scan) -> ScanReport:
    """A current scan as the scanners' report, for downloads."""
    return ScanReport(
        files=tuple(
            FileVerdict(file.path, Verdict(file.verdict), tuple(file.reasons)) for file in scan.files.order_by("id")
        ),
        findings=tuple(as_finding(row) for row in findings_of(scan)),
        scanners=tuple(scan.scanners),
        incomplete=dict(scan.incomplete),
    )


def as_finding(row: ScanFinding) -> Finding:
    """A row as the scanner's finding."""
    return Finding(
        scanner=row.scanner,
        rule=row.rule,
        severity=Severity(row.severity),
        path=row.path,
        message=row.message,
        hint=row.hint,
        position=row.position,
        details=row.details,
    )
