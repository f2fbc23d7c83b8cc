"""Who may, in general; each area adds the predicates of its own objects."""

from __future__ import annotations

from typing import Any

import rules
from django.contrib.auth.models import AnonymousUser

from mop.accounts.models import PersonalAccessToken, Team, User
from mop.errors import NotAllowedError, NotAuthenticatedError


@rules.predicate
def is_administrator(user: User | AnonymousUser) -> bool:
    """The user is an administrator."""
    return isinstance(user, User) and user.is_administrator


@rules.predicate
def is_signed_in(user: User | AnonymousUser) -> bool:
    """Anyone signed in."""
    return isinstance(user, User) and user.is_active


@rules.predicate
def is_member(user: User | AnonymousUser, team: Team | None) -> bool:
    """The user belongs to the team."""
    return team is not None and isinstance(user, User) and user.teams.filter(pk=team.pk).exists()


@rules.predicate
def is_token_holder(user: User | AnonymousUser, token: PersonalAccessToken | None) -> bool:
    """The token is the user's own."""
    return token is not None and token.user_id == user.pk


@rules.predicate
def has_password(user: User | AnonymousUser) -> bool:
    """The user signs in with a password of this installation, not elsewhere."""
    return isinstance(user, User) and user.has_usable_password()


rules.add_perm("accounts.change_password", has_password)
rules.add_perm("accounts.define", is_administrator)
rules.add_perm("accounts.create_for_team", is_member)
rules.add_perm("accounts.create_token", is_signed_in)
rules.add_perm("accounts.revoke_token", is_token_holder)


def authorise(user: User | AnonymousUser, permission: str, thing: Any = None, *, what: str) -> None:
    """Let the user do `what` (a phrase, such as "cancel this revision") or refuse.

    Raises:
        NotAuthenticatedError: nobody is signed in.
        NotAllowedError: the user sees the object but may not do this.
    """
    if not user.is_authenticated:
        raise NotAuthenticatedError("Nobody is signed in.")
    if not may(user, permission, thing):
        raise NotAllowedError(f"{user.get_username()} may not {what}.")


def may(user: User | AnonymousUser, permission: str, thing: Any = None) -> bool:
    """Whether the rule lets the user; `user.has_perm()` would say yes to every administrator without asking it."""
    return bool(rules.has_perm(permission, user, thing))
