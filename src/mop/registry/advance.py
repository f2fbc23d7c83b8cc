"""The one function that changes a revision's status."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone

from mop import failpoints
from mop.audit.services import Actor, record
from mop.engine.fence import hold_fence
from mop.errors import MopError, StaleAttemptError
from mop.registry.actions import Action
from mop.registry.models import Revision, RevisionEvent
from mop.registry.statuses import TRANSITIONS, RevisionStatus
from mop.registry.telling import tell_status


def advance(
    *,
    revision_id: uuid.UUID,
    attempt: int,
    to: RevisionStatus,
    actor: Actor,
    detail: str = "",
    error: MopError | None = None,
    retry_at: dt.datetime | None = None,
    facts: dict[str, Any] | None = None,
) -> bool:
    """Move a revision of `attempt` to the status `to`, with the facts that became known with it.

    Saves status and facts (field names of Revision), the event and the audit record in one transaction. A step
    that runs again after a crash may ask for a status that this attempt already entered: then only the facts are saved.

    Returns:
        Whether the status changed.

    Raises:
        StaleAttemptError: the revision is gone, is in another attempt, or may not enter `to` from where it stands.
        WorkerLostError: this process is a worker whose work was given to another.
    """
    with transaction.atomic():
        hold_fence()
        revision = locked_revision(revision_id)
        if revision.attempt != attempt:
            raise StaleAttemptError(f"revision {revision_id} is in attempt {revision.attempt}, not {attempt}")
        current = revision.get_status()
        entered = RevisionEvent.objects.filter(revision=revision, attempt=attempt, status=to).exists()
        if entered and current.is_final and current != to:
            raise StaleAttemptError(f"{revision} is {current.value}")
        if not entered and to not in TRANSITIONS[current]:
            raise StaleAttemptError(f"{revision} can not go from {current.value} to {to.value}")
        for field, value in (facts or {}).items():
            setattr(revision, field, value)
        if entered:
            revision.save()
            return False
        enter(revision, to, actor=actor, detail=detail, error=error, retry_at=retry_at)
        return True


def locked_revision(revision_id: uuid.UUID) -> Revision:
    """The revision, its row locked until the transaction ends.

    Raises:
        StaleAttemptError: it is gone.
    """
    rows = Revision.objects.select_for_update(of=("self",)).select_related("model")
    revision = rows.filter(pk=revision_id).first()
    if revision is None:
        raise StaleAttemptError(f"revision {revision_id} was deleted")
    return revision


def enter(
    revision: Revision,
    to: RevisionStatus,
    *,
    actor: Actor,
    detail: str = "",
    error: MopError | None = None,
    retry_at: dt.datetime | None = None,
) -> None:
    """Write status, event and audit record, and tell people. Called by `advance` and where a revision (re)starts."""
    now = timezone.now()
    before = revision.status
    revision.status = to
    revision.status_changed_at = now
    revision.error = error.to_dict() if error else None
    revision.retry_at = retry_at
    revision.save()
    RevisionEvent.objects.create(
        revision=revision,
        attempt=revision.attempt,
        status=to,
        at=now,
        actor_label=actor.label,
        detail=detail or (error.message if error else ""),
    )
    record(
        actor=actor,
        action=Action.REVISION_STATUS,
        object_type="revision",
        object_id=revision.pk,
        object_label=str(revision),
        data={"from": before, "to": to.value, "attempt": revision.attempt, "error": error.name if error else None},
    )
    tell_status(revision, actor=actor, detail=detail, error=error)
    failpoints.hit(f"before {to.value}")
    transaction.on_commit(functools.partial(failpoints.hit, f"after {to.value}"))
