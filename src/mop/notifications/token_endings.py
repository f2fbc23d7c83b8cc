"""Telling people that an access token of theirs is about to expire, once, while there is time to replace it."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils import timezone

from mop.accounts.models import PersonalAccessToken
from mop.audit.services import Actor
from mop.notifications.kinds import Kind
from mop.notifications.services import News, notify

AHEAD = dt.timedelta(days=7)
SHORT = dt.timedelta(days=14)  # a token that was given for less is told of a day ahead
AHEAD_SHORT = dt.timedelta(days=1)
LEAST = dt.timedelta(days=3)  # one that was given for less is meant to end


def tell_endings() -> int:
    """Tell the owners of tokens that expire soon; one that was replaced under its name is not told of.

    Returns:
        How many were told of for the first time.
    """
    now = timezone.now()
    standing = PersonalAccessToken.objects.filter(revoked_at=None, user__is_active=True)
    later = standing.filter(user=OuterRef("user"), name=OuterRef("name"), expires_at__gt=OuterRef("expires_at"))
    ending = standing.filter(expires_at__gt=now, expires_at__lte=now + AHEAD).exclude(Exists(later))
    lasting = ending.filter(expires_at__gte=F("created_at") + LEAST).select_related("user").order_by("pk")
    return sum(_tell(token, now) for token in lasting if token.expires_at - now <= _ahead(token))


def _ahead(token: PersonalAccessToken) -> dt.timedelta:
    return AHEAD if token.expires_at - token.created_at >= SHORT else AHEAD_SHORT


def _tell(token: PersonalAccessToken, now: dt.datetime) -> int:
    hours = (token.expires_at - now) / dt.timedelta(hours=1)
    left = f"{hours / 24:.0f} days" if hours > 36 else f"{max(hours, 1):.0f} hours"  # noqa: PLR2004 - a day and a half
    return notify(
        actor=Actor.system("tokens"),
        people=[token.user],
        news=News(
            kind=Kind.TOKEN_EXPIRES,
            event=f"token:{token.pk}:expires",
            title=f"The access token {token.name} expires in {left}",
            reason=f"It works until {token.expires_at:%Y-%m-%d %H:%M} UTC. What uses it is refused from then on.",
            hint="Replace it in the portal or with `mop token rotate`, and give the new secret to what uses it.",
            link=reverse("accounts:tokens"),
        ),
    )
