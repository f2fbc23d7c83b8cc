"""Who is behind a request of the portal."""

from __future__ import annotations

from django.http import HttpRequest

from mop.accounts.addresses import client_address
from mop.accounts.models import User
from mop.accounts.services import actor_of
from mop.audit.services import Actor
from mop.errors import NotAuthenticatedError


def user_of(request: HttpRequest) -> User:
    """The signed-in user. Every view of the portal asks first.

    Raises:
        NotAuthenticatedError: nobody is signed in; the portal then leads to the sign-in page.
    """
    if not isinstance(request.user, User):
        raise NotAuthenticatedError("Nobody is signed in.")
    return request.user


def actor_in(request: HttpRequest) -> Actor:
    """The audit actor of a request: its user and the address it came from.

    Raises:
        NotAuthenticatedError: nobody is signed in.
    """
    return actor_of(user_of(request), client_address(request))
