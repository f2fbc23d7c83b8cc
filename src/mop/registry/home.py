"""Versions on Home: those of a person's own models that failed, run, or were verified lately."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from mop.accounts.models import User
from mop.registry.models import Revision
from mop.registry.statuses import REVISION_LIFECYCLE, RevisionStatus
from mop.ui.extensions import HOME_DAYS, HOME_ITEMS_MAX, HomeItem, HomeList
from mop.ui.newest import newest_of_kinds

FAILED = (RevisionStatus.VERIFY_FAILED, RevisionStatus.VULNERABLE)


def versions(_request: HttpRequest, user: User) -> Sequence[HomeItem]:
    """Versions that failed and are the newest of their model, that run, or that were verified in the last days."""
    newer = Revision.objects.filter(model=OuterRef("model"), created_at__gt=OuterRef("created_at"))
    lately = timezone.now() - dt.timedelta(days=HOME_DAYS)
    found = Revision.objects.filter(model__owners=user).select_related("model").defer("sample_post_data")
    failed = Q(~Exists(newer), status__in=FAILED)
    running = Q(status__in=sorted(REVISION_LIFECYCLE.live))
    verified = Q(status=RevisionStatus.VERIFIED, status_changed_at__gte=lately)
    shown = newest_of_kinds(found, (failed, running, verified), by="status_changed_at", most=HOME_ITEMS_MAX)
    return [_item(revision) for revision in shown]


def _item(revision: Revision) -> HomeItem:
    status = revision.get_status()
    name, version = revision.model.name, revision.version
    url = reverse("registry:revision", kwargs={"name": name, "version": version})
    what, at = f"{name} {version}", revision.status_changed_at
    reason = str((revision.error or {}).get("message", ""))
    if status == RevisionStatus.VERIFY_FAILED:
        return HomeItem(
            place=HomeList.NEEDS,
            what=what,
            url=url,
            text="failed verification",
            reason=reason,
            at=at,
            action="Upgrade version",
            action_url=reverse("registry:upgrade", kwargs={"name": name}),
            is_fault=True,
            icon="bad",
        )
    if status == RevisionStatus.VULNERABLE:
        return HomeItem(
            place=HomeList.NEEDS,
            what=what,
            url=url,
            text="is vulnerable",
            reason=reason,
            at=at,
            action="See findings",
            is_fault=True,
            icon="shield",
        )
    if status == RevisionStatus.VERIFIED:
        return HomeItem(
            place=HomeList.ENDED, what=what, url=url, text="is verified", at=at, action="See details", icon="ok"
        )
    waits = status == RevisionStatus.TO_BE_RETRIED
    return HomeItem(
        place=HomeList.RUNS,
        what=what,
        url=url,
        text="waits to be tried again" if waits else "is being onboarded",
        reason=reason if waits else status.meaning,
        at=at,
        action="See details",
        icon="wait" if waits else "busy",
    )
