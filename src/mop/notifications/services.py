"""Telling people, and what they do with what they were told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.services import change_email
from mop.areas.words import NotificationKind
from mop.audit.services import Actor
from mop.notifications.kinds import kind_of
from mop.notifications.models import HINT_MAX, REASON_MAX, TITLE_MAX, Delivery, Email, Notification, Preference
from mop.notifications.scopes import Scope
from mop.notifications.selectors import preferences_of, visible_notifications
from mop.notifications.texts import one_line
from mop.notifications.webhook_selectors import webhooks_told
from mop.notifications.webhooks import enqueue_delivery, link_of

_NAMES_AT_ONCE = 500


@dataclass(frozen=True)
class News:
    """What people are told.

    Attributes:
        kind: by which people choose.
        event: names what happened; nobody is told of one event twice.
        title: a few words.
        reason: one sentence.
        link: path in the portal where it is seen.
        hint: what to do about it, if anything.
        scope: what one must be allowed to see to be told; None: it is about the person.
    """

    kind: NotificationKind
    event: str
    title: str
    reason: str
    link: str
    hint: str = ""
    scope: Scope | None = None


@transaction.atomic
def notify(*, actor: Actor, people: Iterable[User], news: News) -> int:
    """Tell people, all but who did it. Call it inside the transaction of the change that it tells of.

    Texts are made one line without control characters and are cut to their fields: they may come from models.

    Returns:
        How many people were told.

    Raises:
        ValueError: a bug: no area has this kind.
    """
    kind_of(news.kind)
    readers = [person for person in people if person.is_active and str(person.pk) != actor.id]
    chosen = preferences_of(readers, news.kind)
    for webhook in webhooks_told(readers, news.scope):
        if webhook.wants(news.kind):
            enqueue_delivery(
                webhook=webhook, kind=news.kind.value, event=news.event, data=_message(news), scope=news.scope
            )
    return sum(_tell(person, news, chosen[person.pk]) for person in readers)


def _message(news: News) -> dict[str, Any]:
    """What a webhook is told: the texts of the notification, and what it is about."""
    return {
        "title": one_line(news.title, TITLE_MAX),
        "reason": one_line(news.reason, REASON_MAX),
        "hint": one_line(news.hint, HINT_MAX),
        "link": link_of(news.link),
        "about": {"type": news.scope.type, "id": news.scope.id} if news.scope else None,
    }


def _tell(person: User, news: News, wanted: Preference) -> bool:
    by_email = wanted.by_email and bool(person.email)
    if not (wanted.in_portal or by_email):
        return False
    notification, is_new = Notification.objects.get_or_create(
        event=news.event,
        recipient=person,
        defaults={
            "kind": news.kind,
            "title": one_line(news.title, TITLE_MAX),
            "reason": one_line(news.reason, REASON_MAX),
            "hint": one_line(news.hint, HINT_MAX),
            "link": news.link,
            "scope_type": news.scope.type if news.scope else "",
            "scope_id": news.scope.id if news.scope else None,
            "in_portal": wanted.in_portal,
        },
    )
    if is_new and by_email:
        Email.objects.create(notification=notification)
    return is_new


def mark_read(*, notification: Notification) -> None:
    """Note that a notification was read; does nothing if it was."""
    if notification.read_at is None:
        notification.read_at = timezone.now()
        notification.save(update_fields=["read_at"])


def mark_all_read(*, user: User, up_to: int) -> int:
    """Note that a person read everything up to the notification of this id: what came later was not seen.

    Returns:
        How many were unread.
    """
    unread = visible_notifications(user).filter(read_at=None, pk__lte=up_to)
    return unread.update(read_at=timezone.now())


def forget_scope(scope: Scope) -> None:
    """Remove what was told about an object that is deleted; queued e-mails and webhooks go with it."""
    Delivery.objects.filter(scope_type=scope.type, scope_id=scope.id).delete()
    Notification.objects.filter(scope_type=scope.type, scope_id=scope.id).delete()


def forget_events(prefix: str) -> None:
    """Remove what was told of the events whose names begin so; queued e-mails and webhooks go with it."""
    Delivery.objects.filter(event__startswith=prefix).delete()
    Notification.objects.filter(event__startswith=prefix).delete()


def forget_named(events: Collection[str]) -> None:
    """Remove what was told of these events; queued e-mails and webhooks go with it."""
    waiting = iter(events)
    while names := list(islice(waiting, _NAMES_AT_ONCE)):
        Delivery.objects.filter(event__in=names).delete()
        Notification.objects.filter(event__in=names).delete()


@transaction.atomic
def set_preferences(
    *, actor: Actor, user: User, email: str, wanted: Mapping[NotificationKind, tuple[bool, bool]]
) -> None:
    """Keep a person's e-mail address, and for each kind whether to tell them in the portal and by e-mail.

    Raises:
        ValidationFailedError: the address is none.
    """
    for kind, (in_portal, by_email) in wanted.items():
        Preference.objects.update_or_create(
            user=user, kind=kind, defaults={"in_portal": in_portal, "by_email": by_email}
        )
    change_email(actor=actor, user=user, email=email)
