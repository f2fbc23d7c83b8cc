"""Asking for a scan of a revision; the work stands above and is reached by its name."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from mop.audit.services import Actor, record
from mop.engine.job import Job
from mop.engine.watch import Run
from mop.errors import ConflictError, MopError
from mop.findings.actions import Action
from mop.findings.models import Rescan
from mop.findings.names import RESCAN_WORKFLOW, SCANS_QUEUE
from mop.registry.models import Revision


def may_be_scanned(revision: Revision) -> bool:
    """Whether there is something to scan that the pipeline does not work on."""
    return revision.get_status().is_final and bool(revision.artifact_digest)


@transaction.atomic
def request_rescan(*, actor: Actor, revision: Revision) -> Rescan:
    """Scan a revision's snapshot and environment again, with today's scanners, policy and advisories.

    Raises:
        ConflictError: its pipeline runs, it has no snapshot, or a scan is under way.
    """
    row = Revision.objects.select_for_update(of=("self",)).select_related("model").get(pk=revision.pk)
    if not row.get_status().is_final:
        raise ConflictError(f"{row} is {row.status}: its pipeline scans it.", hint="Wait until the pipeline is done.")
    if not row.artifact_digest:
        raise ConflictError(f"{row} has no snapshot: its folder was never read.", hint="Add a new version.")
    waiting = Rescan.objects.filter(revision=row).first()
    if waiting is not None and waiting.failure is None:
        raise ConflictError(f"{row} is being scanned already.", hint="Wait for its end.")
    if waiting is not None:
        waiting.delete()
    rescan = Rescan.objects.create(revision=row, workflow_id=f"rescan:{uuid.uuid4()}", asked_by=actor.label)
    record(
        actor=actor,
        action=Action.REVISION_RESCAN_ASKED,
        object_type="revision",
        object_id=row.pk,
        object_label=str(row),
    )
    RESCAN_JOB.start(rescan)
    return rescan


def end_rescan(workflow_id: str, *, failure: MopError | None = None) -> None:
    """Note that a rescan ended; a failed one stays, with its reason, until the next is asked for."""
    rescans = Rescan.objects.filter(workflow_id=workflow_id)
    if failure is None:
        rescans.delete()
    else:
        rescans.update(failure=failure.to_dict())


def wanted_rescans(runs: Collection[Run]) -> set[Run]:
    """Of these runs, named by their workflow, those that somebody still waits for."""
    found = Rescan.objects.filter(workflow_id__in={run.id for run in runs}, failure__isnull=True)
    return {Run(workflow_id) for workflow_id in found.values_list("workflow_id", flat=True)}


def waiting_rescans(before: dt.datetime) -> QuerySet[Rescan]:
    """Rescans that wait, or run, since before a moment: their enqueue may have been lost."""
    return Rescan.objects.filter(failure__isnull=True, asked_at__lt=before)


RESCAN_JOB: Job[Rescan] = Job(
    workflow=RESCAN_WORKFLOW,
    workflow_id=lambda rescan: rescan.workflow_id,
    queue=lambda _rescan: SCANS_QUEUE,
    args=lambda rescan: (str(rescan.revision_id), rescan.workflow_id),
    waiting=waiting_rescans,
)
