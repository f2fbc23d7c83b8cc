"""Alerts: what only the operator can fix. One cause has one open alert, however often it comes."""

from __future__ import annotations

import hashlib

from django.db import IntegrityError, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from mop.accounts.models import User
from mop.audit.services import Actor, record
from mop.errors import PlatformFault
from mop.notifications.actions import Action
from mop.notifications.kinds import Kind
from mop.notifications.models import HINT_MAX, REASON_MAX, TITLE_MAX, Alert
from mop.notifications.scopes import INSTALLATION, Scope
from mop.notifications.services import News, notify
from mop.notifications.texts import one_line


@transaction.atomic
def raise_alert(*, actor: Actor, fault: PlatformFault) -> Alert:
    """Open an alert and tell the administrators, or count one more time at the open one of the same cause.

    The same cause is the same fault with the same hint: one thing to do. The message does not count, because it may
    hold what a model wrote, which could else open any number of alerts.
    """
    cause = hashlib.sha256(f"{fault.name}\n{fault.hint}".encode()).hexdigest()
    if (standing := _count(cause, fault)) is not None:
        return standing
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                cause=cause,
                fault=fault.name,
                title=one_line(fault.title, TITLE_MAX),
                message=one_line(fault.message, REASON_MAX),
                hint=one_line(fault.hint, HINT_MAX),
            )
    except IntegrityError:  # opened by another transaction a moment ago
        if (standing := _count(cause, fault)) is None:
            raise
        return standing
    notify(
        actor=actor,
        people=User.objects.filter(is_active=True, is_superuser=True).order_by("pk"),
        news=News(
            kind=Kind.ALERT,
            event=f"alert:{alert.pk}",
            title=fault.title,
            reason=fault.message,
            hint=fault.hint,
            link=f"{reverse('notifications:list')}#alert-{alert.pk}",
            scope=Scope(INSTALLATION),
        ),
    )
    return alert


@transaction.atomic
def close_alert(*, actor: Actor, alert: Alert) -> None:
    """Note that the operator fixed the cause; if it comes again, a new alert opens."""
    if Alert.objects.filter(pk=alert.pk, closed_at=None).update(closed_at=timezone.now()):
        record(
            actor=actor,
            action=Action.ALERT_CLOSED,
            object_type="alert",
            object_id=alert.pk,
            object_label=alert.fault,
            data={"count": alert.count, "hint": alert.hint},
        )


def _count(cause: str, fault: PlatformFault) -> Alert | None:
    standing = Alert.objects.filter(cause=cause, closed_at=None)
    counted = standing.update(count=F("count") + 1, last_at=timezone.now(), message=one_line(fault.message, REASON_MAX))
    return standing.get() if counted else None
