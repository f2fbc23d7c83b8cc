"""Reads of releases and of what is live."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from mop.accounts.models import User
from mop.errors import NotFoundError
from mop.registry.models import Revision
from mop.registry.statuses import PublishStatus
from mop.releases.models import Service
from mop.releases.release_models import LiveSlot, Release, SlotPeriod
from mop.releases.release_states import ReleaseState

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
        raise NotFoundError(f"The version {release.model_name} {release.version} of {release} was deleted.")
    return release.revision


def approved_releases(service: Service) -> QuerySet[Release]:
    """Releases that the service may take and that are not live yet, the newest first."""
    return releases().filter(service=service, state=ReleaseState.APPROVED)


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


def get_release(user: User, number: int) -> Release:
    """A release by its number.

    Raises:
        NotFoundError: there is none, or the person may not see it.
    """
    release = visible_releases(user).filter(pk=number).first()
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
    """The version that a version is measured against in a slot: what is live; for the live one, what it replaced."""
    periods = SlotPeriod.objects.filter(service=service, taxonomy_id=taxonomy_id, modality=modality)
    periods = periods.select_related("release__revision__model").order_by("-pk")
    now = periods.filter(ended_at=None).first()
    if now is None or now.release.revision_id != revision.pk:
        return now.release.revision if now else None
    before = periods.filter(pk__lt=now.pk).exclude(release__revision=revision).exclude(release__revision=None).first()
    return before.release.revision if before else None
