"""Writes to personal access tokens, and finding the token of a secret."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable, Sequence

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from mop.accounts.actions import Action
from mop.accounts.models import PersonalAccessToken, User
from mop.accounts.validation import save_checked
from mop.areas.scopes import ALL_WRITE, KNOWN_SCOPES, covers, normalised, unknown_scopes
from mop.audit.services import Actor, record
from mop.errors import NotAllowedError, NotAuthenticatedError, ValidationFailedError

TOKEN_PREFIX = "mop_"  # noqa: S105 - a public mark, so that leaked tokens can be recognised
TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX = 90, 366
OVERLAP_HOURS_MAX = 72


@transaction.atomic
def create_token(
    *,
    actor: Actor,
    user: User,
    name: str,
    scopes: Sequence[str] = (ALL_WRITE,),
    days: int = TOKEN_DAYS_DEFAULT,
    made_by: PersonalAccessToken | None = None,
) -> tuple[PersonalAccessToken, str]:
    """A new token and its secret. The secret is not stored: show it once.

    Args:
        actor: who makes it.
        user: in whose name it acts.
        name: what uses it.
        scopes: what it may do.
        days: how long it lives; one that a token makes lives no longer than that token.
        made_by: the token with which it is made; None: a session.

    Raises:
        ValidationFailedError: the name is empty, a scope unknown, or the life is not 1 to 366 days.
        NotAllowedError: the token that makes it lacks one of the scopes.
    """
    _check_days(days)
    _check_scopes(scopes)
    expires_at = timezone.now() + dt.timedelta(days=days)
    if made_by is not None:
        if lacking := [scope for scope in normalised(scopes) if not covers(made_by.scopes, scope)]:
            raise NotAllowedError(
                f"The token {made_by.name!r} cannot give {', '.join(lacking)}: it has {', '.join(made_by.scopes)}.",
                hint="Choose among its scopes, or sign in to the portal.",
            )
        expires_at = min(expires_at, made_by.expires_at)
    return _save_token(actor=actor, user=user, name=name, scopes=scopes, expires_at=expires_at, made_by=made_by)


@transaction.atomic
def rotate_token(
    *,
    actor: Actor,
    token: PersonalAccessToken,
    days: int | None = None,
    overlap_hours: int = 0,
    by: PersonalAccessToken | None = None,
) -> tuple[PersonalAccessToken, str]:
    """A token with the same name and scopes and a new secret, in place of the old one, which ends.

    Args:
        actor: who asks.
        token: the old one. What it made belongs to the new one.
        days: life of the new one; None: as long as the old one was given.
        overlap_hours: how much longer the old secret works, so that running jobs end in peace.
        by: the token that asks; it never lengthens a life: the old end stays.

    Raises:
        ValidationFailedError: days or hours are out of range, or the token is revoked or has expired.
    """
    if not 0 <= overlap_hours <= OVERLAP_HOURS_MAX:
        message = f"Give 0 to {OVERLAP_HOURS_MAX} hours."
        raise ValidationFailedError(f"overlap_hours: {message}", fields={"overlap_hours": [message]})
    if days is not None:
        _check_days(days)
    old = PersonalAccessToken.objects.select_for_update(of=("self",)).select_related("made_by").get(pk=token.pk)
    now = timezone.now()
    if old.revoked_at is not None or old.expires_at <= now:
        raise ValidationFailedError("The token has ended.", hint="Create a new one.")
    life = dt.timedelta(days=days) if days is not None else old.expires_at - old.created_at
    limits = [old.expires_at] if by is not None else []
    limits += [old.made_by.expires_at] if old.made_by is not None else []
    fresh, secret = _save_token(
        actor=actor,
        user=old.user,
        name=old.name,
        scopes=old.scopes,
        expires_at=min([now + life, *limits]),
        made_by=old.made_by,
    )
    old.made.update(made_by=fresh)
    if overlap_hours:
        old.expires_at = min(old.expires_at, now + dt.timedelta(hours=overlap_hours))
    else:
        old.revoked_at = now
    old.save(update_fields=["expires_at", "revoked_at"])
    _record(actor, Action.TOKEN_ROTATED, old, {"replaced_by": fresh.pk, "overlap_hours": overlap_hours})
    return fresh, secret


@transaction.atomic
def revoke_token(*, actor: Actor, token: PersonalAccessToken) -> None:
    """End a token and all that was made with it; does nothing to those that are revoked."""
    level = [token]
    while level:
        for one in level:
            if one.revoked_at is None:
                one.revoked_at = timezone.now()
                one.save(update_fields=["revoked_at"])
                _record(actor, Action.TOKEN_REVOKED, one)
        level = list(PersonalAccessToken.objects.filter(made_by__in=level))


def authenticate_token(secret: str) -> PersonalAccessToken:
    """The living token of a secret, its user somebody who could sign in.

    With single sign-on that is somebody whom the provider let in during the last MOP_TOKEN_SIGN_IN_DAYS: what happened
    to their account there meanwhile, MOP learns at a sign-in alone.

    Raises:
        NotAuthenticatedError: unknown, expired or revoked, or its user is inactive; the answer does not say which.
    """
    now = timezone.now()
    token = (
        PersonalAccessToken.objects.select_related("user")
        .annotate(is_of_provider=Exists(SocialAccount.objects.filter(user=OuterRef("user"))))
        .filter(digest=digest_of(secret), revoked_at=None, expires_at__gt=now, user__is_active=True)
        .first()
    )
    if token is None:
        raise NotAuthenticatedError("The access token is unknown, expired or revoked.")
    if token.is_of_provider and _has_lapsed(token.user, now):
        raise NotAuthenticatedError(
            "The access token works again when its owner signs in to the portal.", hint="Sign in to the portal."
        )
    if token.last_used_at is None or now - token.last_used_at > dt.timedelta(minutes=1):  # spares a write per request
        PersonalAccessToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def could_sign_in(user: User) -> bool:
    """Whether what acts in a person's name may do so now: the account is enabled, and the provider knows them still."""
    if not user.is_active:
        return False
    return not (SocialAccount.objects.filter(user=user).exists() and _has_lapsed(user, timezone.now()))


def _has_lapsed(user: User, now: dt.datetime) -> bool:
    """Whether a person of the provider signed in too long ago; one with a password here can sign in by that."""
    if user.has_usable_password():
        return False
    return user.last_login is None or now - user.last_login > dt.timedelta(days=settings.MOP_TOKEN_SIGN_IN_DAYS)


def digest_of(secret: str) -> str:
    """What is stored of a secret. Tokens are 256 random bits, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_days(days: int) -> None:
    if not 1 <= days <= TOKEN_DAYS_MAX:
        raise ValidationFailedError(
            f"A token lives 1 to {TOKEN_DAYS_MAX} days.", fields={"days": [f"Give 1 to {TOKEN_DAYS_MAX} days."]}
        )


def _check_scopes(scopes: Iterable[str]) -> None:
    if unknown := unknown_scopes(scopes):
        message = f"There is no scope {', '.join(map(repr, unknown))}. The scopes are {', '.join(KNOWN_SCOPES)}."
        raise ValidationFailedError(f"scopes: {message}", fields={"scopes": [message]})
    if not list(scopes):
        message = "Choose at least one scope."
        raise ValidationFailedError(f"scopes: {message}", fields={"scopes": [message]})


def _save_token(
    *,
    actor: Actor,
    user: User,
    name: str,
    scopes: Sequence[str],
    expires_at: dt.datetime,
    made_by: PersonalAccessToken | None,
) -> tuple[PersonalAccessToken, str]:
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = PersonalAccessToken(
        user=user,
        name=name,
        digest=digest_of(secret),
        prefix=secret[:8],
        scopes=normalised(scopes),
        expires_at=expires_at,
        made_by=made_by,
    )
    save_checked(token)
    token.refresh_from_db(fields=["created_at"])
    _record(actor, Action.TOKEN_CREATED, token, {"scopes": token.scopes, "expires_at": expires_at.isoformat()})
    return token, secret


def _record(actor: Actor, action: Action, token: PersonalAccessToken, data: dict[str, object] | None = None) -> None:
    record(actor=actor, action=action, object_type="token", object_id=token.pk, object_label=token.name, data=data)
