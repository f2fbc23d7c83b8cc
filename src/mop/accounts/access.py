"""Who calls the API: a personal access token or a portal session, and what it may do at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from mop.accounts.addresses import client_address
from mop.accounts.models import PersonalAccessToken, User
from mop.accounts.route_scopes import scope_of_route
from mop.accounts.services import actor_of
from mop.accounts.token_services import authenticate_token
from mop.accounts.wrong_tokens import count_wrong_token
from mop.areas.scopes import READ, covers
from mop.audit.services import Actor
from mop.errors import NotAllowedError, NotAuthenticatedError

OTHER_SITES = frozenset({"cross-site", "same-site"})  # hosts beside MOP's own are not MOP either


@dataclass(frozen=True)
class Caller:
    """Who asks, as whom it is recorded, and by which token (None: a portal session)."""

    user: User
    actor: Actor
    token: PersonalAccessToken | None


def caller_of(request: HttpRequest) -> Caller:
    """The authenticated caller of an API request."""
    return cast("Caller", request.auth)  # type: ignore[attr-defined] # ninja puts there what authentication returned


class TokenAuthentication(HttpBearer):
    """`Authorization: Bearer mop_...`; a token does what its scopes allow, whatever else its user may."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """The token's holder.

        Raises:
            NotAuthenticatedError: the token is unknown, expired or revoked.
            TooManyRequestsError: so are many that came from this address.
            NotAllowedError: the token lacks the scope that the operation needs.
        """
        try:
            found = authenticate_token(token.strip())
        except NotAuthenticatedError:
            count_wrong_token(client_address(request))
            raise
        scope = scope_of_route(request)
        if scope is None:
            raise NotAllowedError("No token may do this.", hint="Sign in to the portal.")
        if not covers(found.scopes, needed := scope.needed(request.method or "")):
            access = "Read" if needed.endswith(READ) else "Read and write"
            raise NotAllowedError(
                f"This needs the scope {needed}; the token {found.name!r} has {', '.join(found.scopes)}.",
                hint=f"Create a token with the access '{access}' to '{scope.label}', and use that.",
            )
        return Caller(user=found.user, actor=actor_of(found.user, client_address(request)), token=found)


class SessionAuthentication(APIKeyCookie):
    """The portal's session, for pages of the portal alone; what writes carries the CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Caller | None:
        """The signed-in user, or None when nobody is.

        Raises:
            NotAllowedError: another site's page asks, or the CSRF token is missing or wrong.
        """
        if not isinstance(request.user, User):
            return None  # nobody signed in is a 401, so this comes before the CSRF check
        if request.headers.get("Sec-Fetch-Site") in OTHER_SITES:
            raise NotAllowedError(
                "Another site asks with the session of the portal.", hint="Send a personal access token instead."
            )
        if check_csrf(request):
            raise NotAllowedError(
                "The CSRF token is missing or wrong.",
                hint=f"Send the cookie {settings.CSRF_COOKIE_NAME}'s value as X-CSRFToken.",
            )
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller:  # noqa: ARG002 - Django read the cookie
        """The session's user."""
        user = cast("User", request.user)
        return Caller(user=user, actor=actor_of(user, client_address(request)), token=None)
