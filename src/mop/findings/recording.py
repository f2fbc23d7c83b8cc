"""Writing down what a scan found: once, with the decision that policy and waivers make of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import math
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from mop.audit.services import Actor, record
from mop.errors import BlockingFindingsError, StaleAttemptError
from mop.findings import actions
from mop.findings.models import Scan, ScanDecision, ScanFinding, ScannedFile, ScanReason, Waiver
from mop.findings.policy_file import InstallationPolicy
from mop.notifications.texts import one_line
from mop.registry.advance import REVISION
from mop.registry.models import Revision
from mop.scanning.findings import Finding, ScanReport
from mop.scanning.policy import Action, Decision, actions_of, decide
from mop.scanning.policy import Waiver as HeldWaiver

FINDINGS_KEPT = 5000
"""Of one scan, worst first; a folder of 10,000 files cannot fill the database. The counts are of all."""
SHOWN = 5
TEXT_MAX = 2000
PATH_MAX = 2000
RULE_MAX = 100
IDENTIFIER_MAX = 100
REASONS_KEPT = 10
DETAILS_KEPT = 50
DETAILS_DEPTH = 5
WARNING_PREFIX = "Scan: "
WARNING_MAX = 500


@dataclass(frozen=True, kw_only=True)
class ScanResult:
    """What one look at a revision gave, before the policy.

    Attributes:
        key: names the work that looked; writing the same key again changes nothing.
        reason: why it looked.
        started_at: when.
        report: of all scanners, advisories among them.
        environment_key: of the environment; empty when only the folder was looked at.
        environment_digest: of its files.
        packages: [name, version, [required names]] of what is installed.
        advisories: what they were matched against.
        is_complete: whether folder and environment were looked at.
        follows: number of the scan whose files it takes over; None when it looked at everything itself.
    """

    key: str
    reason: ScanReason
    started_at: dt.datetime
    report: ScanReport
    environment_key: str = ""
    environment_digest: str = ""
    packages: Sequence[Sequence[Any]] = ()
    advisories: dict[str, Any] = field(default_factory=dict)
    is_complete: bool = True
    follows: int | None = None


@dataclass(frozen=True)
class Recorded:
    """A scan that was written, its decision, and which of its findings the one before it did not have."""

    scan: Scan
    decision: Decision
    new: tuple[Finding, ...]


def record_scan(*, revision_id: uuid.UUID, result: ScanResult, policy: InstallationPolicy, actor: Actor) -> Recorded:
    """Write a scan with its decision; it takes the place of the one before.

    Raises:
        StaleAttemptError: the revision is gone, or was scanned again since the scan that this one follows.
        WorkerLostError: this process is a worker whose work was given to another.
    """
    with transaction.atomic():
        revision = REVISION.lock(revision_id)
        waivers = held_waivers(revision.model_id)
        decision = decide(result.report, policy.policy, [held for _, held in waivers], today=timezone.localdate())
        written = Scan.objects.filter(revision=revision, key=result.key).first()
        if written is not None:  # this step ran before a crash, and told people then
            return Recorded(written, decision, ())
        before = Scan.objects.filter(revision=revision, is_current=True).first()
        if result.follows is not None and (before is None or before.pk != result.follows):
            raise StaleAttemptError(f"{revision} was scanned again meanwhile")
        new = _new_findings(decision, before) if before is not None else ()
        if before is not None:
            before.is_current = False
            before.save(update_fields=["is_current"])
            before.files.all().delete()
            before.findings.all().delete()
        scan = _write(revision, result, policy, decision, waivers)
        _audit(revision, scan, actor)
        return Recorded(scan, decision, new)


def judge(revision_id: uuid.UUID, report: ScanReport, policy: InstallationPolicy) -> Decision:
    """What policy and waivers make of a report; nothing is written.

    Raises:
        StaleAttemptError: the revision is gone.
    """
    model_id = Revision.objects.filter(pk=revision_id).values_list("model_id", flat=True).first()
    if model_id is None:
        raise StaleAttemptError(f"revision {revision_id} was deleted")
    waivers = [held for _, held in held_waivers(model_id)]
    return decide(report, policy.policy, waivers, today=timezone.localdate())


def held_waivers(model_id: int) -> list[tuple[Waiver, HeldWaiver]]:
    """The waivers of a model that nobody ended, each as its row and as the policy takes it."""
    rows = Waiver.objects.filter(model_id=model_id, ended_at=None).select_related("owner")
    return [(row, as_held(row)) for row in rows]


def as_held(row: Waiver) -> HeldWaiver:
    """A waiver as the policy takes it."""
    return HeldWaiver(row.scanner, row.rule, row.path, row.owner.username, row.reason, row.until, row.identifier)


def waivers_digest(model_id: int) -> str:
    """Names the waivers of a model that hold today: equal while the same ones do, empty for none."""
    return waivers_digests(Waiver.objects.filter(model_id=model_id)).get(model_id, "")


def waivers_digests(waivers: QuerySet[Waiver]) -> dict[int, str]:
    """The same for each model that has some among these."""
    rows = waivers.filter(ended_at=None, until__gte=timezone.localdate()).order_by("id")
    held: dict[int, list[str]] = {}
    for model, waiver in rows.values_list("model_id", "id"):
        held.setdefault(model, []).append(str(waiver))
    return {model: hashlib.sha256(",".join(ids).encode()).hexdigest() for model, ids in held.items()}


def identity(finding: Finding) -> tuple[str, str, str, str]:
    """What makes a finding the same one in another scan; lines may move."""
    identifier = str(finding.details.get("identifier", ""))
    return (
        finding.scanner,
        safe(finding.rule, RULE_MAX),
        safe(finding.path, PATH_MAX),
        safe(identifier, IDENTIFIER_MAX),
    )


def blocking_error(decision: Decision) -> BlockingFindingsError | None:
    """The error of a revision that findings block; None when none does."""
    if not decision.blocked:
        return None
    first, *others = decision.blocked
    count = len(decision.blocked)
    return BlockingFindingsError(
        f"{'1 finding blocks' if count == 1 else f'{count} findings block'} this version. {_told(first)}",
        place=one_line(first.path + (f", {first.position}" if first.position else ""), TEXT_MAX),
        hint=f"{one_line(first.hint, TEXT_MAX)} Then add a new version.",
        also=[_told(finding) for finding in others[: SHOWN - 1]]
        + ([f"and {len(others) - SHOWN + 1} more"] if len(others) >= SHOWN else []),
    )


def scan_warnings(decision: Decision, report: ScanReport) -> list[str]:
    """What is shown among a revision's warnings: the worst findings, and how many there are beside them."""
    warned = decision.warned
    told = [f"{finding.severity.value}: {_told(finding)}" for finding in warned[:SHOWN]]
    if len(warned) > SHOWN:
        told.append(f"{len(warned) - SHOWN} more findings warn; Findings lists them all.")
    told += [f"the scanner {scanner} did not finish: {reason}" for scanner, reason in report.incomplete.items()]
    return [one_line(f"{WARNING_PREFIX}{text}", WARNING_MAX) for text in told]


def _told(finding: Finding) -> str:
    return one_line(finding.message, 400)


def _new_findings(decision: Decision, before: Scan) -> tuple[Finding, ...]:
    """What blocks or warns and did not at the scan before; of what is not kept nobody could tell."""
    rows = ScanFinding.objects.filter(scan=before).exclude(action=Action.NOTE)
    known = set(rows.values_list("scanner", "rule", "path", "identifier"))
    kept = (*decision.blocked, *decision.warned)[:FINDINGS_KEPT]
    return tuple(finding for finding in kept if identity(finding) not in known)


def _write(
    revision: Revision,
    result: ScanResult,
    policy: InstallationPolicy,
    decision: Decision,
    waivers: list[tuple[Waiver, HeldWaiver]],
) -> Scan:
    report = result.report
    scan = Scan.objects.create(
        revision=revision,
        key=result.key,
        reason=result.reason,
        started_at=result.started_at,
        decision=decision_of(decision),
        is_complete=result.is_complete,
        environment_key=result.environment_key,
        environment_digest=result.environment_digest,
        scanners=list(report.scanners),
        incomplete={safe(name, RULE_MAX): one_line(reason, TEXT_MAX) for name, reason in report.incomplete.items()},
        policy_digest=policy.digest,
        waivers_digest=waivers_digest(revision.model_id),
        packages=[
            [safe(name, TEXT_MAX), safe(version, TEXT_MAX), [safe(one, TEXT_MAX) for one in requires]]
            for name, version, requires in result.packages
        ],
        advisories=_safe_details(result.advisories, kept=None),
        severities=dict(Counter(finding.severity.value for finding in report.findings)),
        verdicts=dict(Counter(file.verdict.value for file in report.files)),
        blocking=len(decision.blocked),
        warning=len(decision.warned),
    )
    ScannedFile.objects.bulk_create(
        (
            ScannedFile(
                scan=scan,
                path=safe(file.path, PATH_MAX),
                verdict=file.verdict.value,
                reasons=[safe(reason, TEXT_MAX) for reason in file.reasons[:REASONS_KEPT]],
            )
            for file in report.files
        ),
        batch_size=500,
    )
    by_held = {id(held): row for row, held in waivers}
    waived = {id(finding): by_held[id(held)] for finding, held in decision.waived}
    places = {action: place for place, action in enumerate((Action.BLOCK, Action.WARN, Action.NOTE))}
    ordered = sorted(
        zip(report.findings, actions_of(report, decision), strict=True),
        key=lambda pair: (places[pair[1]], -pair[0].severity.rank),
    )
    ScanFinding.objects.bulk_create(
        (
            ScanFinding(
                scan=scan,
                number=number,
                scanner=finding.scanner,
                rule=safe(finding.rule, RULE_MAX),
                severity=finding.severity.value,
                action=action.value,
                path=safe(finding.path, PATH_MAX),
                position=safe(finding.position, 200),
                message=safe(finding.message, TEXT_MAX),
                hint=safe(finding.hint, TEXT_MAX),
                identifier=safe(str(finding.details.get("identifier", "")), IDENTIFIER_MAX),
                details=_safe_details(finding.details),
                waiver=waived.get(id(finding)),
            )
            for number, (finding, action) in enumerate(ordered[:FINDINGS_KEPT], start=1)
        ),
        batch_size=500,
    )
    return scan


def decision_of(decision: Decision) -> ScanDecision:
    if decision.blocked:
        return ScanDecision.VULNERABLE
    return ScanDecision.WARNINGS if decision.warned else ScanDecision.CLEAN


def safe(text: str, length_max: int) -> str:
    """A stranger's text as every database keeps it: no NUL, no unpaired surrogate, cut to its length."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()[:length_max]


def _safe_details(value: Any, depth: int = DETAILS_DEPTH, *, kept: int | None = DETAILS_KEPT) -> Any:
    """Facts as every database keeps them as JSON: no odd text, no number that is none, not too wide nor too deep."""
    if depth and isinstance(value, dict):
        some = itertools.islice(value.items(), kept)
        return {safe(str(name), RULE_MAX): _safe_details(one, depth - 1, kept=kept) for name, one in some}
    if depth and isinstance(value, list | tuple):
        return [_safe_details(one, depth - 1, kept=kept) for one in value[:kept]]
    is_plain = value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_plain else safe(_text(value), TEXT_MAX)


def _text(value: Any) -> str:
    return "…" if isinstance(value, dict | list | tuple) else str(value)


def _audit(revision: Revision, scan: Scan, actor: Actor) -> None:
    record(
        actor=actor,
        action=actions.Action.REVISION_SCANNED,
        object_type="revision",
        object_id=revision.pk,
        object_label=str(revision),
        data={
            "reason": scan.reason,
            "decision": scan.decision,
            "severities": scan.severities,
            "verdicts": scan.verdicts,
            "policy": scan.policy_digest,
        },
    )
