"""What the workflow reads and writes of a revision, as plain functions for its steps."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from mop.accounts.models import Team
from mop.accounts.quotas import use
from mop.audit.models import AuditEvent
from mop.catalog.models import Task
from mop.engine.retries import RETRY_WINDOW, is_last_try, pause_after
from mop.engine.watch import Run
from mop.errors import CATALOGUE, BlockingFindingsError, MopError, OutsideFault, PlatformFault
from mop.hosting.configuration import Configuration, configuration_of
from mop.hosting.this_host import WORKER
from mop.onboarding.contract import TaskInput
from mop.registry.actions import Action
from mop.registry.advance import REVISION, advance
from mop.registry.models import Revision
from mop.registry.quotas import STORED, has_snapshot
from mop.registry.statuses import RevisionStatus
from mop.storage.snapshot_process import SnapshotResult


@dataclass(frozen=True)
class OnboardingJob:
    """One attempt at one revision, detached from the database.

    Attributes:
        connected: of each of the tasks its id and the customized name of its taxonomy.
    """

    revision_id: uuid.UUID
    attempt: int
    name: str
    team: Team
    model_url: str
    artifact_digest: str
    sample_post_data: Any
    configuration: Configuration
    allowed_hosts: tuple[str, ...]
    tasks: tuple[TaskInput, ...]
    connected: tuple[tuple[int, str], ...]
    warnings: tuple[str, ...]


def read_job(revision_id: str, attempt: int, host: str) -> OnboardingJob:
    """The job of an attempt, which a step on this host works on from now on.

    Raises:
        StaleAttemptError: the revision is gone or in another attempt, or its pipeline was ended.
        WorkerLostError: this worker's work was given to another.
    """
    return onboarding_job_of(claim(revision_id, attempt, host))


def onboarding_job_of(revision: Revision) -> OnboardingJob:
    connections = list(revision.model.connections.select_related("task__taxonomy"))
    return OnboardingJob(
        revision_id=revision.pk,
        attempt=revision.attempt,
        name=str(revision),
        team=revision.model.team,
        model_url=revision.model_url,
        artifact_digest=revision.artifact_digest,
        sample_post_data=revision.sample_post_data,
        configuration=configuration_of(revision),
        allowed_hosts=tuple(revision.allowed_hosts),
        tasks=tuple(task_input_of(connection.task, connection.customized_name) for connection in connections),
        connected=tuple((connection.task_id, connection.customized_name) for connection in connections),
        warnings=tuple(revision.warnings),
    )


def task_input_of(task: Task, customized_name: str) -> TaskInput:
    """A task as the contract needs it."""
    return TaskInput(
        taxonomy=task.taxonomy.name,
        customized_name=customized_name,
        modality=task.modality,
        label_type=task.label_type,
        labels=tuple(task.labels),
    )


def claim(revision_id: str, attempt: int, host: str) -> Revision:
    """Take the attempt for a host: it no longer waits in the queue.

    Raises:
        StaleAttemptError: it is over.
        WorkerLostError: this worker's work was given to another.
    """
    return REVISION.claim(Run(revision_id, attempt), host=host)


def move(job: OnboardingJob, to: RevisionStatus, *, detail: str = "", facts: dict[str, Any] | None = None) -> None:
    """Let the attempt enter a status; by `advance`."""
    advance(revision_id=job.revision_id, attempt=job.attempt, to=to, actor=WORKER, detail=detail, facts=facts)


@transaction.atomic
def keep_snapshot(job: OnboardingJob, snapshot: SnapshotResult) -> None:
    """The folder was snapshot; the version never changes after that.

    Raises:
        QuotaExceededError: its team has no room for it. What was stored goes with the next garbage collection.
    """
    REVISION.lock(
        job.revision_id, attempt=job.attempt
    )  # before the team, in the order of all services that use a quota
    if not has_snapshot(job.team, snapshot.digest):
        use(STORED, job.team, snapshot.bytes)
    move(
        job,
        RevisionStatus.DATA_DOWNLOADED,
        detail=f"{snapshot.files} files, {snapshot.bytes:,} bytes",
        facts={
            "artifact_digest": snapshot.digest,
            "artifact_files": snapshot.files,
            "artifact_bytes": snapshot.bytes,
        },
    )


def conclude(revision_id: str, attempt: int, error: MopError) -> RevisionStatus:
    """End a failed attempt: vulnerable for findings, verifyFailed for other faults of the model, else toBeRetried.

    After five tries within 24 hours the outside cause itself is the reason of a verifyFailed. Faults of the platform
    do not count: they are the operator's to fix.
    """
    to, retry_at = _verdict(revision_id, attempt, error)
    advance(
        revision_id=uuid.UUID(revision_id),
        attempt=attempt,
        to=to,
        actor=WORKER,
        error=error,
        retry_at=retry_at,
    )
    return to


def digest_of(revision_id: str) -> str:
    """The digest of a revision's snapshot; empty when there is none yet."""
    return Revision.objects.filter(pk=revision_id).values_list("artifact_digest", flat=True).first() or ""


def _verdict(revision_id: str, attempt: int, error: MopError) -> tuple[RevisionStatus, dt.datetime | None]:
    if isinstance(error, BlockingFindingsError):
        return RevisionStatus.VULNERABLE, None
    if not isinstance(error, OutsideFault):
        return RevisionStatus.VERIFY_FAILED, None
    now = timezone.now()
    causes = _earlier_causes(revision_id, attempt, since=now - RETRY_WINDOW)
    counted = sum(not issubclass(CATALOGUE.get(cause, MopError), PlatformFault) for cause in causes)
    if is_last_try(error, counted):
        return RevisionStatus.VERIFY_FAILED, None
    return RevisionStatus.TO_BE_RETRIED, now + pause_after(len(causes))


def _earlier_causes(revision_id: str, attempt: int, *, since: dt.datetime) -> list[str]:
    """Catalogue names of what earlier attempts were `toBeRetried` for; the audit log keeps them.

    This attempt's own does not count: the step that concludes it may run again after a crash, and must say the same.
    """
    events = AuditEvent.objects.filter(
        object_type="revision",
        object_id=revision_id,
        action=Action.REVISION_STATUS,
        data__to=RevisionStatus.TO_BE_RETRIED.value,
        data__attempt__lt=attempt,
        at__gt=since,
    )
    return [str(data["error"]) for data in events.values_list("data", flat=True)]
