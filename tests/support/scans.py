"""Scans that tests need, written as the pipeline writes them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.audit.services import Actor
from mop.findings.consequences import record_and_conclude
from mop.findings.models import ScanReason, Waiver
from mop.findings.policy_file import InstallationPolicy
from mop.findings.recording import Recorded, ScanResult, record_scan
from mop.findings.waivers import create_waiver
from mop.registry.advance import advance
from mop.registry.models import Model, Revision
from mop.registry.statuses import CHAIN
from mop.scanning.findings import FileVerdict, Finding, ScanReport, Severity, Verdict, merge
from mop.scanning.policy import Policy
from support.policies import default_policy

WORKER = Actor.system("worker")
DIGEST = "5f2b" * 16
PACKAGES = (("numpy", "1.26.4", ()), ("scikit-learn", "1.5.0", ("numpy",)))
_numbers = itertools.count(1)


def make_finding(severity: Severity = Severity.CRITICAL, path: str = "model/weights.pkl", **fields: Any) -> Finding:
    """A finding of the model files' scanner; critical ones block by the default policy, others warn."""
    given: dict[str, Any] = {
        "scanner": "model-files",
        "rule": "code-execution",
        "message": f"{path} runs os.system when it is loaded.",
        "hint": "Save the weights as safetensors.",
    } | fields
    return Finding(severity=severity, path=path, **given)


def make_advisory(identifier: str, url: str = "", severity: Severity = Severity.HIGH) -> Finding:
    """A finding of an installed package; it warns by the default policy."""
    return make_finding(
        severity,
        "environment:numpy-1.26.4",
        scanner="dependencies",
        rule="advisory",
        message=f"numpy 1.26.4 is affected by {identifier}.",
        hint="Take numpy 2.0.0.",
        details={"identifier": identifier, "url": url},
    )


BLOCKS = make_finding(position="byte 2048", details={"global": "os.system"})
WARNS_HIGH = make_advisory("OSV-2026-1", "https://osv.dev/vulnerability/OSV-2026-1")
WARNS_LOW = make_finding(
    Severity.LOW, "privatepkgs/fast.whl", scanner="wheels", rule="native-code", message="It holds native code."
)
NOTED = make_finding(
    Severity.LOW, "src/run.sh", scanner="structure", rule="executable-bit", message="src/run.sh is executable."
)
EVERY_ACTION = (BLOCKS, WARNS_HIGH, WARNS_LOW, NOTED)
FILES = (
    FileVerdict("model/weights.pkl", Verdict.INFECTED, ("It runs os.system when it is loaded.",)),
    FileVerdict("privatepkgs/fast.whl", Verdict.NOT_FULLY_SCANNED, ("native code",)),
    FileVerdict("src/inference.py", Verdict.CLEAN),
    FileVerdict("src/settings.yml", Verdict.CLEAN),
)


def make_result(
    *findings: Finding,
    files: Sequence[FileVerdict] = FILES,
    incomplete: dict[str, str] | None = None,
    **fields: Any,
) -> ScanResult:
    """What a look gave; each result has a key of its own unless told."""
    report = ScanReport(tuple(files), findings, ("structure", "model-files"), incomplete or {})
    given: dict[str, Any] = {
        "key": f"onboarding:{next(_numbers)}",
        "reason": ScanReason.ONBOARDING,
        "started_at": timezone.now(),
        "environment_key": "ab" * 32,
        "environment_digest": "cd" * 32,
        "packages": PACKAGES,
        "advisories": {"source": "imported", "digest": "ef" * 32, "told": "audited against imported advisories"},
    } | fields
    return ScanResult(report=merge([report]), **given)


def policy_of(policy: Policy | None = None) -> InstallationPolicy:
    """A policy as an installation's; MOP's own unless told."""
    return InstallationPolicy(policy or default_policy(), "12" * 32, is_own=policy is not None)


def keep_scan(revision: Revision, *findings: Finding, policy: Policy | None = None, **fields: Any) -> Recorded:
    """Write a scan as the pipeline does: nothing follows from it."""
    return record_scan(
        revision_id=revision.pk, result=make_result(*findings, **fields), policy=policy_of(policy), actor=WORKER
    )


def scan_later(revision: Revision, *findings: Finding, policy: Policy | None = None, **fields: Any) -> Recorded:
    """Write a scan as a rescan does: with what follows from it."""
    given = {"reason": ScanReason.RESCAN} | fields
    return record_and_conclude(
        revision_id=revision.pk, result=make_result(*findings, **given), policy=policy_of(policy), actor=WORKER
    )


def verify(revision: Revision, warnings: Sequence[str] = ()) -> Revision:
    """Lead a new revision along the straight way to `verified`."""
    facts = {"artifact_digest": DIGEST, "warnings": list(warnings)}
    for status in CHAIN[1:]:
        advance(revision_id=revision.pk, attempt=revision.attempt, to=status, actor=WORKER, facts=facts)
    revision.refresh_from_db()
    return revision


def waive(model: Model, administrator: User, **changes: Any) -> Waiver:
    """Waive `BLOCKS` for 30 days; the administrator answers for it unless told."""
    given: dict[str, Any] = {
        "scanner": BLOCKS.scanner,
        "rule": BLOCKS.rule,
        "path": BLOCKS.path,
        "owner": administrator,
        "reason": "It is ours.",
        "until": timezone.localdate() + dt.timedelta(days=30),
    } | changes
    return create_waiver(actor=actor_of(administrator), user=administrator, model=model, **given)
