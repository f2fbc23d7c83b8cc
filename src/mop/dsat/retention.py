"""Retention: cases that nobody changed for long go, as the installation's policy says."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from mop.audit.services import Actor, record
from mop.dsat.actions import Action
from mop.dsat.deletion import remove_cases
from mop.dsat.importing import forget_uploads
from mop.dsat.models import Case, Import
from mop.dsat.states import IMPORT_LIFECYCLE

_AT_ONCE = 500
_WORKER = Actor.system("retention")


def expire() -> int:
    """Delete what is older than the policy lets it be; the number of cases."""
    forget_uploads()
    if settings.MOP_DSAT_RETENTION_DAYS <= 0:
        return 0
    before = timezone.now() - dt.timedelta(days=settings.MOP_DSAT_RETENTION_DAYS)
    Import.objects.filter(state__in=IMPORT_LIFECYCLE.final, created_at__lt=before).delete()
    gone = 0
    while count := _expire_some(before):
        gone += count
    return gone


@transaction.atomic
def _expire_some(before: dt.datetime) -> int:
    # locked: who says something about a case at this moment comes first, and the case stays, or finds it gone
    old = Case.objects.select_for_update().filter(changed_at__lt=before).order_by("pk")
    ids = list(old.values_list("pk", flat=True)[:_AT_ONCE])
    remove_cases(ids)
    for case_id in ids:
        record(
            actor=_WORKER,
            action=Action.CASES_EXPIRED,
            object_type="dsat case",
            object_id=case_id,
            object_label=f"DSAT-{case_id}",
            data={"days": settings.MOP_DSAT_RETENTION_DAYS},
        )
    return len(ids)
