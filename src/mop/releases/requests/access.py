"""Downstream services on the API: a token of the service, not of a person.

    @router.post("/releases/{number}/acknowledge", auth=service_or_person(ServiceScope.ACKNOWLEDGE))
    def acknowledge(request, number):
        caller = service_of(request)

A service token acts for its own service and for nobody else: what belongs to another service answers 404.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer

from mop.accounts.access import SessionAuthentication, TokenAuthentication
from mop.accounts.addresses import client_address
from mop.accounts.wrong_tokens import count_wrong_token
from mop.audit.services import Actor
from mop.errors import NotAllowedError, NotAuthenticatedError, NotFoundError
from mop.releases.models import Service
from mop.releases.release_models import ServiceScope, ServiceToken
from mop.releases.requests.tokens import SERVICE_TOKEN_PREFIX, authenticate_service_token


@dataclass(frozen=True)
class ServiceCaller:
    """A downstream service that asks, by which token, and as whom it is recorded."""

    service: Service
    token: ServiceToken
    actor: Actor


class ServiceTokenAuthentication(HttpBearer):
    """`Authorization: Bearer mops_...`; other tokens are left to what authenticates persons."""

    def __init__(self, scope: ServiceScope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ServiceCaller | None:
        """The service, or None when the token is no service's.

        Raises:
            NotAuthenticatedError: the token is unknown, expired or revoked.
            TooManyRequestsError: so are many that came from this address.
            NotAllowedError: the token lacks the scope.
        """
        if not token.strip().startswith(SERVICE_TOKEN_PREFIX):
            return None
        address = client_address(request)
        try:
            found = authenticate_service_token(token.strip())
        except NotAuthenticatedError:
            count_wrong_token(address)
            raise
        if self.scope not in found.scopes:
            raise NotAllowedError(
                f"This needs the scope {self.scope}; the token {found.name!r} has {', '.join(found.scopes)}.",
                hint=f"Ask an admin of {found.service.name} for a token with the scope {self.scope}.",
            )
        return ServiceCaller(found.service, found, actor_of_service(found, address))


def service_or_person(scope: ServiceScope) -> list[Callable[[HttpRequest], Any]]:
    """Authentication of an operation that a service may call with a token of this scope, beside people."""
    return [ServiceTokenAuthentication(scope), TokenAuthentication(), SessionAuthentication()]


def actor_of_service(token: ServiceToken, address: str = "") -> Actor:
    """As whom the holder of a token is recorded."""
    return Actor(
        id=f"service:{token.service_id}", label=f"service {token.service.name} ({token.name})", address=address
    )


def calling_service(request: HttpRequest) -> ServiceCaller | None:
    """The service that asks; None when a person does."""
    caller = request.auth  # type: ignore[attr-defined] # ninja puts there what authentication returned
    return caller if isinstance(caller, ServiceCaller) else None


def service_of(request: HttpRequest, name: str | None = None) -> ServiceCaller:
    """The service that asks.

    Args:
        request: of an operation with `service_or_person`.
        name: the service that the address names, if it does.

    Raises:
        NotAllowedError: a person asks.
        NotFoundError: the token is another service's.
    """
    caller = calling_service(request)
    if caller is None:
        raise NotAllowedError(
            "Only a downstream service may do this, with its own token.",
            hint="Send a token of the service as `Authorization: Bearer mops_...`.",
        )
    if name is not None and name != caller.service.name:
        raise NotFoundError(f"There is no service {name!r}.")
    return caller
