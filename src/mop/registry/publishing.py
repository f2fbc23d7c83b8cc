"""Who sees a version: publishing it, taking that back, and setting it aside."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from mop.areas.registry import registered
from mop.areas.words import AuditAction
from mop.audit.services import Actor, record
from mop.errors import ConflictError
from mop.registry.actions import Action
from mop.registry.advance import REVISION
from mop.registry.models import Revision
from mop.registry.notices import forget_public
from mop.registry.statuses import PublishStatus, RevisionStatus
from mop.registry.summaries import refresh_summary


@transaction.atomic
def publish_revision(*, actor: Actor, revision: Revision) -> Revision:
    """Let everybody see a version; does nothing if it is public.

    Raises:
        ConflictError: it is not verified.
    """
    row = REVISION.lock(revision.pk)
    if obstacle := row.publish_obstacle:
        raise ConflictError(obstacle, hint="Publish it when it is verified, or publish an earlier verified version.")
    return _set(row, PublishStatus.PUBLIC, Action.REVISION_PUBLISHED, actor)


@transaction.atomic
def unpublish_revision(*, actor: Actor, revision: Revision) -> Revision:
    """Let owners and administrators alone see a version; does nothing if it is private.

    Raises:
        ConflictError: an area above needs it to be public; the message says why.
    """
    row = REVISION.lock(revision.pk)
    guards = [guard.load() for area in registered() for guard in area.unpublishing_guards]
    if reasons := [reason for guard in guards if (reason := guard(row))]:
        raise ConflictError(" ".join(reasons))
    forget_public(row)
    return _set(row, PublishStatus.PRIVATE, Action.REVISION_UNPUBLISHED, actor)


@transaction.atomic
def set_outdated(*, actor: Actor, revision: Revision) -> Revision:
    """Set a version aside. It stays, for whom it is public too, and takes part in nothing new.

    Raises:
        ConflictError: its pipeline runs, or it is outdated.
    """
    row = REVISION.lock(revision.pk)
    if not row.may_become_outdated:
        hint = "" if row.get_status() is RevisionStatus.OUTDATED else "Cancel it first."
        raise ConflictError(f"{row} is {row.status}; it cannot become outdated now.", hint=hint)
    REVISION.move(row, RevisionStatus.OUTDATED, actor=actor, detail=f"set aside by {actor.label}")
    return row


def _set(row: Revision, status: PublishStatus, action: AuditAction, actor: Actor) -> Revision:
    if row.publish_status == status:
        return row
    row.publish_status = status
    row.publish_changed_at = timezone.now()
    row.save(update_fields=["publish_status", "publish_changed_at"])
    refresh_summary(row.model_id)
    record(actor=actor, action=action, object_type="revision", object_id=row.pk, object_label=str(row))
    return row
