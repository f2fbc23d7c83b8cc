"""Verified revisions decided about again: when advisories, policy or waivers are not those of their scan any more."""

from __future__ import annotations

import logging

from django.utils import timezone

from mop.advisories.selectors import knowledge
from mop.audit.services import Actor
from mop.errors import StaleAttemptError
from mop.findings.auditing import audit_installed
from mop.findings.consequences import record_and_conclude
from mop.findings.models import Scan, ScanReason, Waiver
from mop.findings.policy_file import InstallationPolicy, installation_policy
from mop.findings.recording import ScanResult, waivers_digest, waivers_digests
from mop.findings.selectors import DEPENDENCIES, report_of
from mop.registry.statuses import RevisionStatus
from mop.scanning.findings import ScanReport, merge

MATCHER = Actor.system("matching")

logger = logging.getLogger(__name__)


def reassess() -> int:
    """Look at the newest scan of every verified revision, and write a new one where something is not as it was.

    The files are not scanned again: what scanners saw of them stands. Runs on a schedule; costs two queries when
    nothing changed.

    Returns:
        How many scans were written.

    Raises:
        PolicyFileError: the installation's policy cannot be read.
    """
    policy = installation_policy()
    written = 0
    for scan in due_scans(policy):
        try:
            written += _match(scan, policy)
        except StaleAttemptError:
            continue  # deleted, or scanned again meanwhile
    return written


def due_scans(policy: InstallationPolicy) -> list[Scan]:
    """Newest scans of verified revisions whose advisories, policy or waivers are no longer the present ones."""
    digest = knowledge().digest
    held = waivers_digests(Waiver.objects.all())
    rows = Scan.objects.filter(is_current=True, revision__status=RevisionStatus.VERIFIED)
    facts = rows.values_list("pk", "policy_digest", "waivers_digest", "revision__model_id", "is_complete", "advisories")
    due = [
        pk
        for pk, policy_digest, waivers, model_id, is_complete, advisories in facts.iterator()
        if policy_digest != policy.digest
        or waivers != held.get(model_id, "")
        or (is_complete and advisories.get("digest") != digest)
    ]
    return list(rows.filter(pk__in=due).select_related("revision", "revision__model").order_by("id"))


def _match(scan: Scan, policy: InstallationPolicy) -> int:
    started = timezone.now()
    report, facts = report_of(scan), scan.advisories
    if scan.is_complete:
        audited = audit_installed(scan.packages, private=scan.advisories.get("private", ()))
        knows_less = audited.facts["not_audited"] > scan.advisories.get("not_audited", 0)
        if not knows_less or audited.facts["source"] != scan.advisories.get("source"):
            report, facts = merge([_without_advisories(report), audited.report]), audited.facts
        elif (scan.policy_digest, scan.waivers_digest) == (policy.digest, waivers_digest(scan.revision.model_id)):
            # a source that does not answer now is no reason to forget what it said
            logger.warning("%s is matched again later: %s", scan.revision, audited.facts["told"])
            return 0
    record_and_conclude(
        revision_id=scan.revision_id,
        result=ScanResult(
            key=f"matching:{scan.pk}",
            reason=ScanReason.ADVISORIES,
            started_at=started,
            report=report,
            environment_key=scan.environment_key,
            environment_digest=scan.environment_digest,
            packages=scan.packages,
            advisories=facts,
            is_complete=scan.is_complete,
            follows=scan.pk,
        ),
        policy=policy,
        actor=MATCHER,
    )
    return 1


def _without_advisories(report: ScanReport) -> ScanReport:
    return ScanReport(
        files=report.files,
        findings=tuple(finding for finding in report.findings if finding.scanner != DEPENDENCIES),
        scanners=tuple(name for name in report.scanners if name != DEPENDENCIES),
        incomplete=report.incomplete,
    )
