"""Releases on Home: what waits for an admin's decision, what is held or vulnerable, and what was decided lately."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence

from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from mop.accounts.models import User
from mop.registry.statuses import RevisionStatus
from mop.releases.release_models import LiveSlot, Release
from mop.releases.release_states import ReleaseState
from mop.releases.requests.analysis import pass_rates
from mop.releases.requests.selectors import visible_releases
from mop.ui.extensions import HOME_DAYS, HOME_ITEMS_MAX, HomeItem, HomeList
from mop.ui.newest import kind_of, newest_of_kinds

SLOTS_SHOWN = 8


def decisions(_request: HttpRequest, user: User) -> Sequence[HomeItem]:
    """Of the services that a person administers what waits or is vulnerable; of their own requests what was decided."""
    found = Release.objects.select_related("service", "requested_by", "revision", "decided_by")
    mine = Q(service__in=user.administered_services.values("pk"))
    waiting = mine & (Q(state=ReleaseState.REQUESTED) | Q(state=ReleaseState.APPROVED, is_held=True))
    fallen = mine & Q(state=ReleaseState.RELEASED, revision__status=RevisionStatus.VULNERABLE)
    lately = timezone.now() - dt.timedelta(days=HOME_DAYS)
    decided = Q(requested_by=user, decided_at__gte=lately, state__in=(ReleaseState.APPROVED, ReleaseState.REJECTED))
    rows = newest_of_kinds(found, (waiting, fallen, decided), by="state_changed_at", most=HOME_ITEMS_MAX)
    texts = (functools.partial(_waiting, user=user), _fallen, _decided)
    return [texts[kind_of(release)](release) for release in rows]


def live_of_teams(request: HttpRequest, user: User) -> SafeString:
    """A card with what is live of the models of a person's teams, as far as they may see it; empty if nothing is."""
    seen = visible_releases(user).filter(revision__model__team__in=user.teams.values("pk"))
    slots = LiveSlot.objects.filter(live__in=seen.order_by().values("pk"))
    shown = list(slots.select_related("service", "taxonomy", "live").order_by("-live_since", "pk")[:SLOTS_SHOWN])
    if not shown:
        return SafeString()
    rates = pass_rates(slot.live.revision_id for slot in shown)
    rows = [(slot, rates.get(slot.live.revision_id)) for slot in shown]
    return SafeString(render_to_string("releases/components/home_live.html", {"rows": rows}, request))


def _waiting(release: Release, user: User) -> HomeItem:
    url = reverse("releases:release", args=[release.pk])
    if release.is_held:
        return HomeItem(
            place=HomeList.NEEDS,
            what=f"{release.model_name} {release.version}",
            url=url,
            text=f"is no canary in {release.service.name} any more",
            reason="Take it live, start the canary again, or withdraw it.",
            at=release.state_changed_at,
            action="Decide",
            is_fault=True,
            icon="warn",
        )
    said = release.comment.rstrip(".") or "no comment"
    own = " You requested it, so another admin decides." if release.requested_by_id == user.pk else ""
    return HomeItem(
        place=HomeList.NEEDS,
        what=f"{release.model_name} {release.version}",
        url=url,
        text=f"is offered to {release.service.name}",
        reason=f"{release.requested_by.username}: {said}.{own}",
        at=release.requested_at,
        action=f"Review release {release.pk}",
        icon="releases",
    )


def _fallen(release: Release) -> HomeItem:
    return HomeItem(
        place=HomeList.NEEDS,
        what=f"{release.model_name} {release.version}",
        url=reverse("releases:release", args=[release.pk]),
        text=f"is live in {release.service.name} and vulnerable",
        reason="It goes on until you roll it back or take another release.",
        at=release.revision.status_changed_at if release.revision else release.state_changed_at,
        action="Decide",
        is_fault=True,
        icon="shield",
    )


def _decided(release: Release) -> HomeItem:
    by = f"{release.decided_by.username}: " if release.decided_by else ""
    return HomeItem(
        place=HomeList.ENDED,
        what=f"{release.model_name} {release.version}",
        url=reverse("releases:release", args=[release.pk]),
        text=f"is {release.state} for {release.service.name}",
        reason=f"{by}{release.decision_comment}",
        at=release.decided_at or release.state_changed_at,
        action="See the release",
        is_fault=release.state == ReleaseState.REJECTED,
        icon="bad" if release.state == ReleaseState.REJECTED else "ok",
    )
