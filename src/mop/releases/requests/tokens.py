"""Tokens of downstream services: made, ended, and found by their secret."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from mop.accounts.models import User
from mop.accounts.token_services import TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX, digest_of
from mop.accounts.validation import save_checked
from mop.audit.services import Actor, record
from mop.errors import ConflictError, NotAuthenticatedError, NotFoundError, ValidationFailedError
from mop.releases.actions import Action
from mop.releases.models import Service
from mop.releases.release_models import ServiceScope, ServiceToken

SERVICE_TOKEN_PREFIX = "mops_"  # noqa: S105 - a public mark, so that leaked tokens can be recognised
VALID_AT_ONCE = 2


@transaction.atomic
def create_service_token(
    *,
    actor: Actor,
    user: User,
    service: Service,
    name: str,
    scopes: Sequence[str] = tuple(ServiceScope),
    days: int = TOKEN_DAYS_DEFAULT,
) -> tuple[ServiceToken, str]:
    """A new token of a service and its secret. The secret is not stored: show it once.

    Two tokens may be valid at once, so that a service can take the new one before the old one is revoked.

    Raises:
        ValidationFailedError: the name is empty or too long, a scope unknown, or the life is not 1 to 366 days.
        ConflictError: two are valid already.
    """
    if not 1 <= days <= TOKEN_DAYS_MAX:
        message = f"Give 1 to {TOKEN_DAYS_MAX} days."
        raise ValidationFailedError(f"days: {message}", fields={"days": [message]})
    given = [scope.value for scope in ServiceScope if scope in set(scopes)]
    if unknown := sorted(set(scopes) - set(ServiceScope)):
        known = ", ".join(ServiceScope.values)
        message = f"There is no scope {', '.join(map(repr, unknown))}. The scopes are {known}."
        raise ValidationFailedError(f"scopes: {message}", fields={"scopes": [message]})
    if not given:
        message = "Choose at least one scope."
        raise ValidationFailedError(f"scopes: {message}", fields={"scopes": [message]})
    # the row of the service is the lock: two admins cannot both make the last allowed token
    Service.objects.select_for_update().get(pk=service.pk)
    valid = list(valid_tokens(service))
    if len(valid) >= VALID_AT_ONCE:
        names = " and ".join(token.name for token in valid)
        raise ConflictError(
            f"{service.name} has {len(valid)} valid tokens: {names}.",
            hint="Revoke the one that is not in use any more, then create the new one.",
        )
    secret = SERVICE_TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ServiceToken(
        service=service,
        name=name.strip(),
        digest=digest_of(secret),
        prefix=secret[:9],
        scopes=given,
        created_by=user,
        expires_at=timezone.now() + dt.timedelta(days=days),
    )
    save_checked(token)
    _record(actor, Action.SERVICE_TOKEN_CREATED, token)
    return token, secret


@transaction.atomic
def revoke_service_token(*, actor: Actor, token: ServiceToken) -> None:
    """End a token; does nothing to one that is revoked."""
    row = ServiceToken.objects.select_for_update(of=("self",)).select_related("service").get(pk=token.pk)
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        _record(actor, Action.SERVICE_TOKEN_REVOKED, row)


def tokens_of(service: Service) -> QuerySet[ServiceToken]:
    """Every token of a service, the newest first."""
    return ServiceToken.objects.filter(service=service).select_related("created_by", "service").order_by("-pk")


def valid_tokens(service: Service) -> QuerySet[ServiceToken]:
    """The tokens of a service that work now."""
    return tokens_of(service).filter(revoked_at=None, expires_at__gt=timezone.now())


def get_service_token(service: Service, number: int) -> ServiceToken:
    """A token of a service by its number.

    Raises:
        NotFoundError: the service has none with it.
    """
    token = tokens_of(service).filter(pk=number).first()
    if token is None:
        raise NotFoundError(f"{service.name} has no token {number}.")
    return token


def authenticate_service_token(secret: str) -> ServiceToken:
    """The valid token of a secret.

    Raises:
        NotAuthenticatedError: unknown, expired or revoked; the answer does not say which.
    """
    now = timezone.now()
    tokens = ServiceToken.objects.select_related("service").prefetch_related("service__admins")
    token = tokens.filter(digest=digest_of(secret), revoked_at=None, expires_at__gt=now).first()
    if token is None:
        raise NotAuthenticatedError(
            "The token of the service is unknown, expired or revoked.",
            hint="Ask an admin of the service for a new one.",
        )
    if token.last_used_at is None or now - token.last_used_at > dt.timedelta(minutes=1):  # spares a write per request
        ServiceToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _record(actor: Actor, action: Action, token: ServiceToken) -> None:
    record(
        actor=actor,
        action=action,
        object_type="service",
        object_id=token.service_id,
        object_label=token.service.name,
        data={"token": token.name, "prefix": token.prefix, "scopes": token.scopes},
    )
