"""What is live of a service: an approved release goes live, is a canary, is retired, is rolled back."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from mop.accounts.models import User
from mop.audit.services import Actor
from mop.errors import ConflictError, ValidationFailedError
from mop.registry.models import Revision
from mop.releases.actions import Action
from mop.releases.bundles.services import begin_release_bundle
from mop.releases.release_models import SHARE_MAX, SHARE_MIN, LiveSlot, Release, ReleaseTask
from mop.releases.release_states import CANARY_CHANGED, CANARY_STARTED, PeriodEnd, ReleaseState, WentLive
from mop.releases.requests.evidence import evidence_of
from mop.releases.requests.moving import (
    begin,
    empty_slots,
    end_canary_of,
    enter,
    fill_slots,
    lock_release,
    note_canary,
    require_admin,
)
from mop.releases.requests.preconditions import standing
from mop.releases.requests.selectors import overtaking, periods_of, releases, returns_to, version_of


@transaction.atomic
def mark_released(
    *, actor: Actor, release: Release, how: WentLive, user: User | None = None, comment: str = ""
) -> Release:
    """Write that an approved release is live: for each of its tasks it replaces what was. Done twice it does nothing.

    Args:
        actor: who says so.
        release: an approved one.
        how: what made it live.
        user: the admin who says so; None: gateway or service.
        comment: of the admin.

    Raises:
        NotAllowedError: the person is no admin of the service.
        ConflictError: it is not approved, or its version may not be released any more; or it is a canary, or one that
            ended, which an admin alone takes live; or, for a gateway, one that was approved later is live.
    """
    row = lock_release(release)
    if user is not None:
        require_admin(row.service, user)
    if row.get_state() == ReleaseState.RELEASED:
        return row
    if row.get_state() == ReleaseState.APPROVED:  # otherwise `enter` refuses it
        if user is None:
            _refuse_canary(row)
        if how == WentLive.GATEWAY:
            _refuse_overtaken(row)
        _refuse_fallen(version_of(row))
    go_live(row, actor=actor, how=how, detail=comment or f"{how.label.capitalize()}.")
    return row


def go_live(release: Release, *, actor: Actor, how: WentLive, detail: str) -> None:
    """Let a locked, approved release go live."""
    enter(
        release,
        ReleaseState.RELEASED,
        action=Action.RELEASE_RELEASED,
        actor=actor,
        detail=detail,
        went_live=how,
        released_at=timezone.now(),
        is_held=False,
    )
    end = PeriodEnd.ROLLED_BACK if how == WentLive.ROLLBACK else PeriodEnd.REPLACED
    fill_slots(release, actor=actor, end=end)


@transaction.atomic
def retire_release(*, actor: Actor, user: User, release: Release, comment: str) -> Release:
    """Take a live release out of the service; what is approved and waits is not touched, and may follow it.

    Raises:
        NotAllowedError: the person is no admin of the service.
        ConflictError: it is not live.
        ValidationFailedError: the comment is missing.
    """
    row = lock_release(release)
    require_admin(row.service, user)
    comment = _required(comment)
    slots = list(LiveSlot.objects.filter(live=row).select_related("canary"))
    enter(
        row,
        ReleaseState.RETIRED,
        action=Action.RELEASE_RETIRED,
        actor=actor,
        detail=comment,
        end_comment=comment,
    )
    empty_slots(row, slots, actor=actor, end=PeriodEnd.RETIRED)
    return row


@transaction.atomic
def roll_back(*, actor: Actor, user: User, release: Release, comment: str) -> list[Release]:
    """Return from a live release to what was live before it, in one step.

    Each task returns to the version that was live for it before; a task for which nothing was is left without one.

    Returns:
        The new release records, already released; one for each release that is returned to.

    Raises:
        NotAllowedError: the person is no admin of the service.
        ConflictError: the release is not live, nothing was live before it, or that may not be released any more.
        ValidationFailedError: the comment is missing.
    """
    before = {slot: _before(slot) for slot in LiveSlot.objects.filter(live=release).select_related("live", "service")}
    # the locks of every version, in one order, before that of the service
    versions = {one.revision_id for one in before.values() if one is not None and one.revision_id is not None}
    for pk in sorted(versions, key=str):
        Revision.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    row = lock_release(release)
    require_admin(row.service, user)
    comment = _required(comment)
    slots = list(LiveSlot.objects.filter(live=row).select_related("live", "service", "canary"))
    if not slots:
        raise ConflictError(f"Release {row.pk} is {row.state}; only what is live can be rolled back.")
    targets: dict[int, tuple[Release, list[LiveSlot]]] = {}
    for slot in slots:
        target = _before(slot)
        if target is not None:
            targets.setdefault(target.pk, (target, []))[1].append(slot)
    if not targets:
        raise ConflictError(f"Nothing was live before release {row.pk}.", hint="Retire it, or approve another release.")
    for target, _ in targets.values():
        _refuse_fallen(version_of(target))
    made = [
        _restored(target, row, found, actor=actor, user=user, comment=comment) for target, found in targets.values()
    ]
    left = list(LiveSlot.objects.filter(live=row).select_related("canary"))
    if left:
        empty_slots(row, left, actor=actor, end=PeriodEnd.ROLLED_BACK)
        now = releases().get(pk=row.pk)
        enter(now, ReleaseState.RETIRED, action=Action.RELEASE_RETIRED, actor=actor, detail="rolled back")
    return made


@transaction.atomic
def start_canary(*, actor: Actor, user: User, release: Release, share: int) -> Release:
    """Let an approved release answer a share of the requests beside what is live; or change that share.

    Raises:
        NotAllowedError: the person is no admin of the service.
        ConflictError: it is not approved, nothing is live beside it, or another canary runs there.
        ValidationFailedError: the share is not 1 to 99 per cent.
    """
    row = lock_release(release)
    require_admin(row.service, user)
    start_canary_of(row, share=share, actor=actor)
    return row


def start_canary_of(release: Release, *, share: int, actor: Actor) -> None:
    """`start_canary` of a locked release."""
    if not SHARE_MIN <= share <= SHARE_MAX:
        message = f"The share of a canary is {SHARE_MIN} to {SHARE_MAX} per cent, not {share}."
        raise ValidationFailedError(message, fields={"canary_share": [message]})
    if release.get_state() != ReleaseState.APPROVED:
        raise ConflictError(f"Release {release.pk} is {release.state}; only an approved release can be a canary.")
    _refuse_fallen(version_of(release))
    wanted = {one.slot: one for one in release.tasks.all()}
    slots = {
        (slot.taxonomy_id, slot.modality): slot
        for slot in LiveSlot.objects.select_for_update(of=("self",)).filter(service=release.service)
    }
    if lacking := [str(one) for slot, one in wanted.items() if slot not in slots]:
        raise ConflictError(
            f"Nothing is live for {'; '.join(lacking)}, so nothing could answer the other requests.",
            hint="Release it without a canary.",
        )
    mine = [slots[slot] for slot in wanted]
    if others := sorted({slot.canary_id for slot in mine if slot.canary_id not in (None, release.pk)}):
        raise ConflictError(f"Release {others[0]} is a canary there.", hint="End that canary first.")
    is_new = all(slot.canary_id is None for slot in mine)
    for slot in mine:
        slot.canary, slot.canary_share = release, share
        slot.canary_since = slot.canary_since or timezone.now()
        slot.save(update_fields=["canary", "canary_share", "canary_since"])
    release.is_held = False
    release.save(update_fields=["is_held"])
    note_canary(release, CANARY_STARTED if is_new else CANARY_CHANGED, actor=actor, detail=f"{share} % of the requests")


@transaction.atomic
def end_canary(*, actor: Actor, release: Release, reason: str, user: User | None = None) -> Release:
    """Let what is live answer every request again. The release stays approved, and waits for an admin.

    Args:
        actor: who ends it.
        release: the canary.
        reason: why; the gateway says which limit it broke.
        user: the admin who ends it; None: the gateway.

    Raises:
        NotAllowedError: the person is no admin of the service.
        ConflictError: it is no canary.
        ValidationFailedError: the reason is missing.
    """
    row = lock_release(release)
    if user is not None:
        require_admin(row.service, user)
    if not LiveSlot.objects.filter(canary=row).exists():
        raise ConflictError(f"Release {row.pk} is no canary.")
    end_canary_of(row, actor=actor, detail=_required(reason), is_held=True)
    return releases().get(pk=row.pk)


def _before(slot: LiveSlot) -> Release | None:
    return returns_to(slot, list(periods_of(slot.service)))


def _restored(
    target: Release, replaced: Release, slots: list[LiveSlot], *, actor: Actor, user: User, comment: str
) -> Release:
    """A new record of a former release for some slots, live at once."""
    revision = version_of(target)
    wanted = {(slot.taxonomy_id, slot.modality) for slot in slots}
    tasks = [one for one in target.tasks.select_related("taxonomy", "task__taxonomy") if one.slot in wanted]
    connections = list(
        revision.model.connections.filter(task__in=[one.task_id for one in tasks]).select_related(
            "taxonomy", "task__taxonomy"
        )
    )
    if len(connections) != len(tasks):
        raise ConflictError(f"A task of {revision} was disconnected since.", hint="Connect it again, then roll back.")
    evidence = evidence_of(revision, target.service, connections)
    now = timezone.now()
    release = Release.objects.create(
        service=target.service,
        revision=revision,
        model_name=revision.model.name,
        version=revision.version,
        artifact_digest=revision.artifact_digest,
        requested_by=user,
        comment=comment,
        decided_at=now,
        decided_by=user,
        decision_comment=comment,
        state=ReleaseState.APPROVED,
        evidence_at_request=evidence.document,
        evidence_at_decision=evidence.document,
        evidence_digest=evidence.digest,
        restores=target,
        rolled_back_from=replaced,
    )
    ReleaseTask.objects.bulk_create(
        ReleaseTask(
            release=release,
            taxonomy=one.taxonomy,
            task=one.task,
            modality=one.modality,
            customized_name=one.customized_name,
        )
        for one in tasks
    )
    found = releases().get(pk=release.pk)
    begin(found, actor=actor, detail=comment, action=Action.RELEASE_ROLLED_BACK)
    begin_release_bundle(actor=actor, release=found)
    go_live(found, actor=actor, how=WentLive.ROLLBACK, detail=f"rolled back from release {replaced.pk}: {comment}")
    return found


def _refuse_canary(release: Release) -> None:
    """Refuse to gateway and service what an admin made a canary, or what was taken back as one."""
    is_canary = LiveSlot.objects.filter(canary=release).exists()
    if is_canary or release.is_held:
        what = "is a canary" if is_canary else "was a canary that ended"
        raise ConflictError(
            f"Release {release.pk} {what}; an admin of the service takes it live.",
            hint="Ask an admin of the service to make it live or to withdraw it.",
        )


def _refuse_overtaken(release: Release) -> None:
    """Refuse to a gateway what took so long to start that a release which was approved later is live in its place."""
    if later := overtaking(release):
        raise ConflictError(
            f"Release {later.pk} is live in the place of release {release.pk} and was approved later; an admin of the "
            "service takes the earlier one live.",
            hint="Ask an admin of the service to make it live or to withdraw it.",
        )


def _refuse_fallen(revision: Revision) -> None:
    """Refuse a version that may not be released any more: vulnerable, set aside, or private by now."""
    if unmet := [one for one in standing(revision) if not one.holds]:
        raise ConflictError(
            f"{revision} may not go live any more. " + " ".join(f"{one.title}: no. {one.reason}" for one in unmet),
            hint=" ".join(one.hint for one in unmet),
        )


def _required(comment: str) -> str:
    if not comment.strip():
        raise ValidationFailedError("Give a reason.", fields={"comment": ["Give a reason."]})
    return comment.strip()
