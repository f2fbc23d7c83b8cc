"""What people are told when the owners of something change."""

from __future__ import annotations

from typing import Any

from mop.accounts.models import User
from mop.areas.words import NotificationKind
from mop.audit.services import Actor
from mop.notifications.scopes import Scope
from mop.notifications.services import News, notify


def tell_owners_changed(
    thing: Any,
    *,
    kind: NotificationKind,
    scope: Scope,
    link: str,
    left_link: str,
    actor: Actor,
    user: User,
    is_owner: bool,
    event: int,
) -> None:
    """Tell a person that they became, or are no longer, an owner, and the other owners of it too.

    Args:
        thing: whose owners changed; it has a name and `owners`.
        kind: which people may turn off.
        scope: what the news is about.
        link: its page.
        left_link: where somebody is led who was taken off.
        actor: who changed them; not told.
        user: who came or went.
        is_owner: whether they came.
        event: id of the audit event, which makes this change one of its own.
    """
    who, now = actor.label, "now" if is_owner else "no longer"
    notify(
        actor=actor,
        people=[user],
        news=News(
            kind=kind,
            event=f"owners:{event}:self",
            title=f"You are {now} an owner of {thing.name}",
            reason=f"{who} {'added you to' if is_owner else 'took you off'} its owners.",
            link=link if is_owner else left_link,
            # who was taken off may no longer see it, but may know that
            scope=scope if is_owner else None,
        ),
    )
    notify(
        actor=actor,
        people=thing.owners.exclude(pk=user.pk).order_by("pk"),
        news=News(
            kind=kind,
            event=f"owners:{event}",
            title=f"{user.username} is {now} an owner of {thing.name}",
            reason=f"{who} changed its owners.",
            link=link,
            scope=scope,
        ),
    )
