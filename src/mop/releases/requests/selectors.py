"""Reads of releases and of what is live."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from mop.accounts.models import User
from mop.errors import NotFoundError
from mop.registry.models import Revision
from mop.registry.statuses import PublishStatus
from mop.releases.models import Service
from mop.releases.release_models import LiveSlot, Release, ReleaseTask, SlotPeriod
from mop.releases.release_states import PeriodEnd, ReleaseState

NUMBER_DIGITS = 18  # what a number of the database holds in any case
Slot = tuple[str, str]
"""Name of the taxonomy and modality."""


@dataclass(frozen=True)
class Live:
    """What answers for one taxonomy and modality of a service.

    Attributes:
        canary: an approved release that answers `canary_share` per cent of the requests; None without one.
    """

    release: Release
    since: dt.datetime
    canary: Release | None = None
    canary_share: int = 0

    @property
    def revision(self) -> Revision:
        """The version that is live; a live release always has one."""
        return version_of(self.release)


def live_releases(service: Service) -> Mapping[Slot, Live]:
    """What is live for each taxonomy and modality of a service, with its canary. Fixed number of queries."""
    return {
        (slot.taxonomy.name, slot.modality): Live(slot.live, slot.live_since, slot.canary, slot.canary_share or 0)
        for slot in slots_of(service)
    }


def slots_of(service: Service) -> QuerySet[LiveSlot]:
    """The slots of a service in which something is live, with their releases."""
    return (
        LiveSlot.objects.filter(service=service)
        .select_related("taxonomy", "live__revision__model", "canary__revision__model", "live__decided_by")
        .prefetch_related("live__tasks__task", "canary__tasks__task")
        .order_by("taxonomy__name", "modality")
    )


def version_of(release: Release) -> Revision:
    """The version of a release.

    Raises:
        NotFoundError: it was deleted.
    """
    if release.revision is None:
        raise NotFoundError(
            f"The version {release.model_name} {release.version} of {release} was deleted.",
            hint="The release keeps the evidence of it: read that.",
        )
    return release.revision


def releases_to_take(service: Service) -> QuerySet[Release]:
    """Approved releases that a service takes live by itself, the oldest first.

    No canaries, and none that is held; nor those in whose place one is live that was approved later: what took long to
    start does not undo the later decision.
    """
    return _taken_by_itself(service).exclude(Exists(_later_live()))


def waiting_behind(release: Release) -> QuerySet[Release]:
    """Approved releases that its service would take in the place of a live release once that is gone, oldest first."""
    its_slots = LiveSlot.objects.filter(live=release, taxonomy=OuterRef("taxonomy"), modality=OuterRef("modality"))
    tasks = ReleaseTask.objects.filter(Exists(its_slots), release=OuterRef("pk"))
    return _taken_by_itself(release.service).filter(Exists(tasks))


def _taken_by_itself(service: Service) -> QuerySet[Release]:
    found = releases().filter(service=service, state=ReleaseState.APPROVED, is_held=False, canary_slots=None)
    return found.order_by("pk")


def overtaking(release: Release) -> Release | None:
    """What is live in the place of an approved release though it was approved later; None where nothing is."""
    if release.state != ReleaseState.APPROVED:
        return None
    slot = LiveSlot.objects.filter(
        pk__in=Release.objects.filter(pk=release.pk).annotate(later=Subquery(_later_live()[:1])).values("later")
    )
    found = slot.select_related("live").first()
    return found.live if found else None


def _later_live() -> QuerySet[LiveSlot, Any]:
    """Of an outer release the slots of its tasks in which a release is live that was approved later, by their ids."""
    of_its_tasks = ReleaseTask.objects.filter(
        release=OuterRef(OuterRef("pk")), taxonomy=OuterRef("taxonomy"), modality=OuterRef("modality")
    )
    later = LiveSlot.objects.filter(service=OuterRef("service"), live__decided_at__gt=OuterRef("decided_at"))
    return later.filter(Exists(of_its_tasks)).order_by().values("pk")


def releases() -> QuerySet[Release]:
    """Every release, newest first, with what a row shows."""
    return (
        Release.objects.select_related("service", "revision__model", "requested_by", "decided_by")
        .prefetch_related("tasks__taxonomy", "tasks__task")
        .order_by("-pk")
    )


def visible_releases(user: User) -> QuerySet[Release]:
    """Releases that a person may see: of public versions, of models they own, to services they are admin of."""
    if user.is_administrator:
        return releases()
    seen = (
        Q(revision__publish_status=PublishStatus.PUBLIC)
        | Q(revision__model__in=user.owned_models.values("pk"))
        | Q(service__in=user.administered_services.values("pk"))
        | Q(requested_by=user)
    )
    return releases().filter(seen)


WAITING, LIVE, ENDED = "waiting", "live", "ended"
STATES_OF_GROUP = {
    WAITING: (ReleaseState.REQUESTED, ReleaseState.APPROVED),
    LIVE: (ReleaseState.RELEASED,),
    ENDED: (ReleaseState.RETIRED, ReleaseState.REJECTED, ReleaseState.WITHDRAWN),
}


def filtered(
    found: QuerySet[Release], *, service: str = "", state: str = "", taxonomy: str = "", search: str = ""
) -> QuerySet[Release]:
    """Those of a service, in a state or group of states, for a taxonomy, with a model's name or a number.

    Args:
        found: releases.
        service: name.
        state: a state, or `waiting`, `live`, `ended`.
        taxonomy: name.
        search: part of a model's name, or a release's number.
    """
    if service:
        found = found.filter(service__name=service)
    if state:
        found = found.filter(state__in=STATES_OF_GROUP.get(state, (state,)))
    if taxonomy:
        found = found.filter(pk__in=ReleaseTask.objects.filter(taxonomy__name=taxonomy).values("release"))
    if search:
        number = Q(pk=int(search)) if search.isdecimal() and len(search) <= NUMBER_DIGITS else Q(pk__in=())
        found = found.filter(number | Q(model_name__icontains=search))
    return found


def get_release(user: User, number: int) -> Release:
    """A release by its number.

    Raises:
        NotFoundError: there is none, or the person may not see it.
    """
    return one_of(visible_releases(user), number)


def one_of(found: QuerySet[Release], number: int) -> Release:
    """The release with a number among some.

    Raises:
        NotFoundError: there is none.
    """
    release = found.filter(pk=number).first() if 0 < number < 10**NUMBER_DIGITS else None
    if release is None:
        raise NotFoundError(f"There is no release {number}.")
    return release


def periods_of(service: Service) -> QuerySet[SlotPeriod]:
    """What was live when, slot by slot, the newest first."""
    return (
        SlotPeriod.objects.filter(service=service)
        .select_related("taxonomy", "release__revision__model", "release__decided_by")
        .order_by("taxonomy__name", "modality", "-pk")
    )


def previous_revision(service: Service, taxonomy_id: int, modality: str, revision: Revision) -> Revision | None:
    """The version that a version is measured against in a slot: what is live; for the live one, what it replaced.

    What is live is public. What it replaced may be private again by now: then nobody who reads the evidence of a
    release is told of it, and the newest one that is public stands in its place.
    """
    periods = SlotPeriod.objects.filter(service=service, taxonomy_id=taxonomy_id, modality=modality)
    periods = periods.select_related("release__revision__model").order_by("-pk")
    now = periods.filter(ended_at=None).first()
    if now is None or now.release.revision_id != revision.pk:
        return now.release.revision if now else None
    before = (
        periods.filter(pk__lt=now.pk, release__revision__publish_status=PublishStatus.PUBLIC)
        .exclude(release__revision=revision)
        .first()
    )
    return before.release.revision if before else None


def returns_to(slot: LiveSlot, periods: Sequence[SlotPeriod]) -> Release | None:
    """The release to which a roll back of a slot returns: what was replaced last, but for what was rolled back itself.

    Args:
        slot: with its live release.
        periods: of the service, the newest of each slot first, with their releases.
    """
    own = [one for one in periods if (one.taxonomy_id, one.modality) == (slot.taxonomy_id, slot.modality)]
    known = {one.release_id: one.release for one in own}
    origin = slot.live
    while origin.restores_id in known:  # what is live may be a roll back itself: go on from where it returned to
        origin = known[origin.restores_id]
    first = min((one.pk for one in own if one.release_id == origin.pk), default=0)
    former = [
        one.release
        for one in own
        if one.pk < first
        and one.end == PeriodEnd.REPLACED
        and one.release.revision_id not in (None, origin.revision_id)
    ]
    return former[0] if former else None
