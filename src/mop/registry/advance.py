"""Changing a revision's status."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from mop.audit.services import Actor
from mop.audit.transitions import Change, Entity
from mop.errors import MopError
from mop.registry.actions import Action
from mop.registry.models import Revision, RevisionEvent
from mop.registry.notices import notify_status
from mop.registry.statuses import REVISION_LIFECYCLE, RevisionStatus


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
    """Move a revision of `attempt` to the status `to`; `retry_at` is a fact of toBeRetried. See `Entity.advance`."""
    known = {**(facts or {}), **({"retry_at": retry_at} if retry_at else {})}
    return REVISION.advance(revision_id, to=to, actor=actor, attempt=attempt, detail=detail, error=error, facts=known)


def _set_fields(change: Change[Revision, RevisionStatus]) -> None:
    change.row.status_changed_at = change.at
    change.row.retry_at = None


def _tell(change: Change[Revision, RevisionStatus]) -> None:
    """Write the event of the timeline, and tell people."""
    RevisionEvent.objects.create(
        revision=change.row,
        attempt=change.row.attempt,
        status=change.to,
        at=change.at,
        actor_label=change.actor.label,
        detail=change.detail or (change.error.message if change.error else ""),
    )
    notify_status(change.row, actor=change.actor, detail=change.detail, error=change.error)


REVISION = Entity(
    model=Revision,
    lifecycle=REVISION_LIFECYCLE,
    name="revision",
    object_type="revision",
    action=Action.REVISION_STATUS,
    related=("model",),
    since="status_changed_at",
    set_fields=_set_fields,
    tell=_tell,
    failpoint="",
)
