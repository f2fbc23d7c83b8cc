"""The one place where a release changes its state, and the slots of a service what is live in them.

In one transaction, with a failpoint (†) on both sides of its commit:

    lock version, model, service, release ─ transition ─ slots ─ event ─ audit record ─ what is told ─ † ─ COMMIT ─ †

The locks are always taken in this order. The row of the service is held for the whole change, so that of two admins
who decide at once the second finds what the first decided.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from mop import failpoints
from mop.accounts.models import User
from mop.audit.services import Actor, record
from mop.errors import ConflictError, NotAllowedError
from mop.registry.models import Model, Revision
from mop.releases.actions import Action
from mop.releases.models import Service
from mop.releases.release_models import LiveSlot, Release, ReleaseEvent, SlotPeriod
from mop.releases.release_states import (
    CANARY_CHANGED,
    CANARY_ENDED,
    CANARY_STARTED,
    RELEASE_LIFECYCLE,
    PeriodEnd,
    ReleaseState,
)
from mop.releases.requests.notices import tell
from mop.releases.requests.selectors import releases


def lock_service(service: Service, revision_id: Any = None) -> Service:
    """Lock a service and before it, where one is given, a version with its model, in the order of this file."""
    if revision_id is not None:
        row = Revision.objects.select_for_update(of=("self",), no_key=True).filter(pk=revision_id).first()
        if row is not None:
            Model.objects.select_for_update(of=("self",), no_key=True).get(pk=row.model_id)
    return Service.objects.select_for_update(of=("self",), no_key=True).get(pk=service.pk)


def lock_release(release: Release) -> Release:
    """Lock a release with everything that its change depends on, and read it anew."""
    lock_service(release.service, release.revision_id)
    Release.objects.select_for_update(of=("self",), no_key=True).get(pk=release.pk)
    return releases().get(pk=release.pk)


def require_admin(service: Service, user: User) -> None:
    """Refuse somebody who is no admin of the service any more. Call it with the service locked.

    Raises:
        NotAllowedError: they are not.
    """
    if not user.is_active or not service.admins.filter(pk=user.pk).exists():
        raise NotAllowedError(
            f"{user.username} is no admin of {service.name}.", hint="Ask an admin of the service to do it."
        )


def begin(release: Release, *, actor: Actor, detail: str, action: Action = Action.RELEASE_REQUESTED) -> None:
    """Write the first event of a new release."""
    _note(release, release.state, action, actor, detail)


def enter(
    release: Release, to: ReleaseState, *, action: Action, actor: Actor, detail: str = "", **fields: object
) -> None:
    """Let a locked release enter a state, with values of further fields.

    Raises:
        ConflictError: its present state does not lead there.
    """
    state = release.get_state()
    if to not in RELEASE_LIFECYCLE.transitions[state]:
        by = f" by {release.decided_by.username}" if release.decided_by and state != ReleaseState.REQUESTED else ""
        raise ConflictError(
            f"Release {release.pk} is {state} since {release.state_changed_at:%Y-%m-%d %H:%M} UTC{by}; it cannot "
            f"become {to}.",
            hint="Read the release again.",
        )
    now = timezone.now()
    release.state, release.state_changed_at = to, now
    for name, value in fields.items():
        setattr(release, name, value)
    if to in RELEASE_LIFECYCLE.final:
        release.ended_at = now
    release.save(update_fields=["state", "state_changed_at", "ended_at", *fields])
    _note(release, to, action, actor, detail)


def fill_slots(release: Release, *, actor: Actor, end: PeriodEnd = PeriodEnd.REPLACED) -> None:
    """Make a release live for each of its tasks; what was live there ends, and with its last slot retires."""
    now = timezone.now()
    replaced: dict[int, Release] = {}
    for one in release.tasks.all():
        slot = _slot(release.service, one.taxonomy_id, one.modality)
        if slot is None:
            LiveSlot.objects.create(
                service=release.service,
                taxonomy_id=one.taxonomy_id,
                modality=one.modality,
                live=release,
                live_since=now,
            )
        else:
            if slot.canary is not None:
                end_canary_of(slot.canary, actor=actor, detail=f"{release} became live", is_held=slot.canary != release)
                slot.refresh_from_db()
            replaced[slot.live_id] = slot.live
            slot.live, slot.live_since = release, now
            slot.save(update_fields=["live", "live_since"])
        _close_period(release.service, one.taxonomy_id, one.modality, end, at=now)
        SlotPeriod.objects.create(
            service=release.service, taxonomy_id=one.taxonomy_id, modality=one.modality, release=release, began_at=now
        )
    for former in replaced.values():
        _retire_if_unused(former, actor=actor, detail=f"{release} replaced it")


def empty_slots(release: Release, slots: Sequence[LiveSlot], *, actor: Actor, end: PeriodEnd) -> None:
    """Take a release out of slots in which nothing follows it."""
    for slot in slots:
        if slot.canary is not None:
            end_canary_of(slot.canary, actor=actor, detail=f"{release} is no longer live", is_held=True)
        _close_period(release.service, slot.taxonomy_id, slot.modality, end, at=timezone.now())
        LiveSlot.objects.filter(pk=slot.pk).delete()


def end_canary_of(canary: Release, *, actor: Actor, detail: str, is_held: bool) -> None:
    """End the canary of a release in all its slots; does nothing where it is none."""
    ended = LiveSlot.objects.filter(canary=canary).update(canary=None, canary_share=None, canary_since=None)
    if ended:
        Release.objects.filter(pk=canary.pk).update(is_held=is_held)
        note_canary(releases().get(pk=canary.pk), CANARY_ENDED, actor=actor, detail=detail)


def note_canary(release: Release, what: str, *, actor: Actor, detail: str) -> None:
    """Write down what happened to a canary."""
    actions = {
        CANARY_STARTED: Action.CANARY_STARTED,
        CANARY_CHANGED: Action.CANARY_CHANGED,
        CANARY_ENDED: Action.CANARY_ENDED,
    }
    _note(release, what, actions[what], actor, detail)


def _retire_if_unused(release: Release, *, actor: Actor, detail: str) -> None:
    if LiveSlot.objects.filter(live=release).exists():
        return
    row = releases().get(pk=release.pk)
    enter(row, ReleaseState.RETIRED, action=Action.RELEASE_RETIRED, actor=actor, detail=detail)


def _slot(service: Service, taxonomy_id: int, modality: str) -> LiveSlot | None:
    slots = LiveSlot.objects.select_for_update(of=("self",), no_key=True).select_related("live", "canary")
    return slots.filter(service=service, taxonomy_id=taxonomy_id, modality=modality).first()


def _close_period(service: Service, taxonomy_id: int, modality: str, end: PeriodEnd, *, at: dt.datetime) -> None:
    periods = SlotPeriod.objects.filter(service=service, taxonomy_id=taxonomy_id, modality=modality, ended_at=None)
    periods.update(ended_at=at, end=end)


def _note(release: Release, what: str, action: Action, actor: Actor, detail: str) -> None:
    event = ReleaseEvent.objects.create(release=release, what=what, actor_label=actor.label, detail=detail)
    record(
        actor=actor,
        action=action,
        object_type="release",
        object_id=release.pk,
        object_label=f"{release.model_name} {release.version} to {release.service.name}",
        data={"release": release.pk, "service": release.service.name, "state": release.state, "detail": detail},
    )
    tell(event, actor=actor)
    failpoints.hit(f"before release {what}")
    transaction.on_commit(functools.partial(failpoints.hit, f"after release {what}"))
