"""API of the tokens and webhooks of downstream services."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from mop.accounts.access import Caller, caller_of
from mop.accounts.rules import authorise
from mop.notifications.models import Webhook
from mop.notifications.webhooks import create_webhook, delete_webhook
from mop.releases.models import Service
from mop.releases.release_models import ServiceScope, ServiceToken
from mop.releases.requests.access import service_of, service_or_person
from mop.releases.requests.notices import get_service_webhook, owner_of, service_webhooks
from mop.releases.requests.schemas import (
    CallingService,
    ServiceTokenCreated,
    ServiceTokenIn,
    ServiceTokenOut,
    ServiceWebhookCreated,
    ServiceWebhookIn,
    ServiceWebhookOut,
)
from mop.releases.requests.tokens import create_service_token, get_service_token, revoke_service_token, tokens_of
from mop.releases.selectors import get_service

router = Router(tags=["releases"])


@router.get("/services/{service}/tokens", response=list[ServiceTokenOut])
def list_tokens(request: HttpRequest, service: str) -> list[ServiceToken]:
    """The tokens of a service, without their secrets. Its admins."""
    return list(tokens_of(_administered(request, service)[1]))


@router.post("/services/{service}/tokens", response={201: ServiceTokenCreated})
def add_token(request: HttpRequest, service: str, body: ServiceTokenIn) -> Status[Any]:
    """A new token of a service. Its secret is shown this once; two may be valid at a time. Its admins."""
    caller, found = _administered(request, service)
    token, secret = create_service_token(
        actor=caller.actor, user=caller.user, service=found, name=body.name, scopes=body.scopes, days=body.days
    )
    return Status(201, _with_secret(token, secret))


@router.delete("/services/{service}/tokens/{int:number}", response={204: None})
def revoke_token(request: HttpRequest, service: str, number: int) -> Status[None]:
    """End a token of a service at once. Its admins."""
    caller, found = _administered(request, service)
    revoke_service_token(actor=caller.actor, token=get_service_token(found, number))
    return Status(204, None)


@router.get("/calling-service", response=CallingService, auth=service_or_person(ServiceScope.READ_BUNDLE))
def show_caller(request: HttpRequest) -> CallingService:
    """Which service a token belongs to."""
    caller = service_of(request)
    return CallingService.of(caller.service, caller.token)


@router.get("/services/{service}/webhooks", response=list[ServiceWebhookOut])
def list_webhooks(request: HttpRequest, service: str) -> list[Webhook]:
    """The webhooks of a service, without their secrets. Its admins."""
    return list(service_webhooks(_administered(request, service)[1].pk))


@router.post("/services/{service}/webhooks", response={201: ServiceWebhookCreated})
def add_webhook(request: HttpRequest, service: str, body: ServiceWebhookIn) -> Status[Any]:
    """A webhook that is told of a service's releases. Its secret is shown this once. Its admins.

    Kinds are `release.` and a state, or `release.canaryStarted`, `release.canaryChanged`, `release.canaryEnded`,
    `release.bundleReady`.
    """
    caller, found = _administered(request, service)
    webhook, secret = create_webhook(
        actor=caller.actor,
        url=body.url,
        owner=owner_of(found.pk),
        description=body.description,
        kinds=body.kinds,
    )
    return Status(201, _with_secret(webhook, secret))


@router.delete("/services/{service}/webhooks/{int:number}", response={204: None})
def remove_webhook(request: HttpRequest, service: str, number: int) -> Status[None]:
    """Remove a webhook of a service; what waits is not sent. Its admins."""
    caller, found = _administered(request, service)
    delete_webhook(actor=caller.actor, webhook=get_service_webhook(found, number))
    return Status(204, None)


def _with_secret(row: ServiceToken | Webhook, secret: str) -> Any:
    """The row for the answer that shows its secret, which no column holds."""
    row.secret_shown_once = secret  # type: ignore[union-attr] # for the schema's resolver alone
    return row


def _administered(request: HttpRequest, name: str) -> tuple[Caller, Service]:
    caller = caller_of(request)
    found = get_service(name)
    authorise(caller.user, "releases.manage_tokens", found, what="manage tokens and webhooks of this service")
    return caller, found
