"""What a later scan changes: a verified revision that the policy blocks turns vulnerable, and people are told."""

from __future__ import annotations

import uuid

from django.db import transaction

from mop.audit.services import Actor
from mop.errors import StaleAttemptError
from mop.findings.notices import notify_new_findings
from mop.findings.policy_file import InstallationPolicy
from mop.findings.recording import WARNING_PREFIX, Recorded, ScanResult, blocking_error, record_scan, scan_warnings
from mop.registry.advance import advance
from mop.registry.models import Revision
from mop.registry.statuses import RevisionStatus


@transaction.atomic
def record_and_conclude(
    *, revision_id: uuid.UUID, result: ScanResult, policy: InstallationPolicy, actor: Actor
) -> Recorded:
    """Write a scan that came after the pipeline, and draw its consequences, in one transaction.

    A verified revision that findings block turns `vulnerable`; what runs of it goes on until somebody decides. New
    findings are told to its owners, and to who answers for what runs it.

    Raises:
        StaleAttemptError: the revision is gone.
        WorkerLostError: this process is a worker whose work was given to another.
    """
    recorded = record_scan(revision_id=revision_id, result=result, policy=policy, actor=actor)
    revision = Revision.objects.select_related("model").filter(pk=revision_id).first()
    if revision is None:
        raise StaleAttemptError(f"revision {revision_id} was deleted")
    error = blocking_error(recorded.decision)
    turns = error is not None and revision.get_status() == RevisionStatus.VERIFIED
    if turns:
        advance(
            revision_id=revision.pk,
            attempt=revision.attempt,
            to=RevisionStatus.VULNERABLE,
            actor=actor,
            error=error,
        )
    elif revision.get_status() == RevisionStatus.VERIFIED:
        others = [warning for warning in revision.warnings if not str(warning).startswith(WARNING_PREFIX)]
        revision.warnings = [*others, *scan_warnings(recorded.decision, result.report)]
        revision.save(update_fields=["warnings"])
    notify_new_findings(revision, recorded, actor=actor, owners=not turns)  # who are told that it is vulnerable
    return recorded
