"""Reads of notifications: a person's own, about what they may still see."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from mop.accounts.models import User
from mop.areas.words import NotificationKind
from mop.errors import NotFoundError
from mop.notifications.kinds import all_kinds
from mop.notifications.models import Alert, Notification, Preference
from mop.notifications.scopes import within_sight


def visible_notifications(user: User) -> QuerySet[Notification]:
    """What the person was told in the portal and may still see."""
    return Notification.objects.filter(within_sight(user), recipient=user, in_portal=True)


def notifications_for_list(user: User, *, unread: bool) -> QuerySet[Notification]:
    """Rows of the list, each with its e-mail; with `unread` only those."""
    rows = visible_notifications(user).select_related("email")
    return rows.filter(read_at=None) if unread else rows


def unread_count(user: User) -> int:
    """How many notifications the person has not read; on every page, so rights are asked only of what there is."""
    unread = Notification.objects.filter(recipient=user, in_portal=True, read_at=None)
    scopes = set(unread.order_by().values_list("scope_type", flat=True).distinct())
    return unread.filter(within_sight(user, scopes)).count() if scopes else 0


def get_notification(user: User, notification_id: int) -> Notification:
    """One of the person's own.

    Raises:
        NotFoundError: it is not theirs, they may no longer see what it tells of, or there is none.
    """
    found = visible_notifications(user).select_related("email").filter(pk=notification_id).first()
    if found is None:
        raise NotFoundError(f"You have no notification {notification_id}.")
    return found


def open_alerts() -> QuerySet[Alert]:
    """What the operator must fix, the latest first. The caller has checked who looks."""
    return Alert.objects.filter(closed_at=None)


def get_open_alert(alert_id: int) -> Alert:
    """An open alert.

    Raises:
        NotFoundError: there is none, or it is closed.
    """
    found = open_alerts().filter(pk=alert_id).first()
    if found is None:
        raise NotFoundError(f"There is no open alert {alert_id}.")
    return found


def kinds_for(user: User) -> list[NotificationKind]:
    """The kinds that a person can be told of."""
    return [kind for kind in all_kinds() if user.is_administrator or not kind.for_administrators]


def preferences_of(people: Sequence[User], kind: NotificationKind) -> dict[int, Preference]:
    """What each person wants of a kind, by primary key; the default where they did not choose. One query."""
    chosen = {row.user_id: row for row in Preference.objects.filter(user__in=people, kind=kind)}
    return {person.pk: chosen.get(person.pk) or Preference(user=person, kind=kind) for person in people}


def choices_of(user: User) -> dict[NotificationKind, Preference]:
    """What one person wants, for every kind they can be told of."""
    chosen = {row.kind: row for row in Preference.objects.filter(user=user)}
    return {kind: chosen.get(kind.value) or Preference(user=user, kind=kind) for kind in kinds_for(user)}
