"""What the claims of a provider make of a person: the account, their roles and teams, at each sign-in."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from mop.accounts.access_ends import end_access, tell_departure
from mop.accounts.actions import Action
from mop.accounts.models import Team, User
from mop.accounts.services import actor_of, add_member, change_access, change_email, create_user, remove_member
from mop.accounts.teams import Bond
from mop.audit.services import Actor, record
from mop.errors import ConflictError, SignInRefusedError

logger = logging.getLogger(__name__)
NAME_MAX = 140  # of 150; a number may follow


def claims_of(account: SocialAccount) -> dict[str, Any]:
    """All that the provider said; what the signed ID token says wins."""
    data = account.extra_data
    return {**(data.get("userinfo") or {}), **(data.get("id_token") or {})}


def person_of(account: SocialAccount, *, address: str) -> User:
    """The user of an account at the provider, with the roles and teams of its claims; made at the first sign-in.

    An e-mail address plays no part: two accounts with one address are two users.

    Raises:
        SignInRefusedError: the role that MOP_OIDC_USER_ROLE asks for is missing. Sessions, tokens and webhooks end.
    """
    claims = claims_of(account)
    user = account.user if account.pk else None
    needed = settings.MOP_OIDC_USER_ROLE
    if needed and needed not in _values(claims, settings.MOP_OIDC_ROLES_CLAIM):
        if user is not None:
            _end_everything(user, actor_of(user, address), f"the role {needed} is missing")
        raise SignInRefusedError(
            f"Your account at {settings.MOP_OIDC_NAME} lacks the role {needed}.",
            hint="Ask those who manage that account to give it the role, then sign in again.",
        )
    if user is None:
        user = _make_user(account, claims, address)
    _apply(user, claims, actor_of(user, address))
    return user


def team_bonds() -> list[Bond]:
    """The teams that MOP_OIDC_TEAMS fills."""
    return [Bond(name, "MOP_OIDC_TEAMS names it") for name in dict.fromkeys(settings.MOP_OIDC_TEAMS.values())]


@transaction.atomic
def _end_everything(user: User, actor: Actor, why: str) -> None:
    """End what lets a person in, and what is done in their name, as if the account were disabled."""
    end_access(actor=actor, user=user, why=why)
    tell_departure(actor=actor, user=user)


@transaction.atomic
def _make_user(account: SocialAccount, claims: Mapping[str, Any], address: str) -> User:
    actor = Actor(id="system:sign-in", label=f"MOP sign-in ({settings.MOP_OIDC_NAME})", address=address)
    user = create_user(actor=actor, username=_free_name(claims), password=None, is_self_named=True)
    user.first_name = str(claims.get("given_name") or "")[:150]
    user.last_name = str(claims.get("family_name") or "")[:150]
    user.save(update_fields=["first_name", "last_name"])
    if email := str(claims.get("email") or ""):
        try:
            validate_email(email)
        except ValidationError:
            logger.warning("the provider gave %s an e-mail address that is none", user.username)
        else:
            change_email(actor=actor, user=user, email=email)
    account.user = user
    account.save()
    return user


def _free_name(claims: Mapping[str, Any]) -> str:
    wanted = str(claims.get("preferred_username") or claims.get("email") or claims.get("name") or "")
    stem = re.sub(r"[^\w.+-]+", "-", wanted.partition("@")[0]).strip("-.")[:NAME_MAX] or "user"
    name = stem
    while User.objects.filter(username__iexact=name).exists():
        name = f"{stem}-{secrets.token_hex(3)}"
    return name


@transaction.atomic
def _apply(user: User, claims: Mapping[str, Any], actor: Actor) -> None:
    """Roles and teams of a person whose account is enabled; a change of that at the same time is waited for."""
    if not User.objects.select_for_update().filter(pk=user.pk, is_active=True).exists():
        return
    if role := settings.MOP_OIDC_ADMINISTRATOR_ROLE:
        is_administrator = role in _values(claims, settings.MOP_OIDC_ROLES_CLAIM)
        if is_administrator != user.is_superuser:
            _change_role(user, actor, is_administrator=is_administrator)
    if settings.MOP_OIDC_TEAMS:
        _change_teams(user, actor, _values(claims, settings.MOP_OIDC_TEAMS_CLAIM))


def _change_role(user: User, actor: Actor, *, is_administrator: bool) -> None:
    try:
        change_access(actor=actor, user=user, is_active=True, is_administrator=is_administrator)
    except ConflictError as error:
        user.refresh_from_db()
        logger.warning("%s lost the role of administrators at the provider: %s", user.username, error.message)
        record(
            actor=actor,
            action=Action.USER_LAST_ADMINISTRATOR_KEPT,
            object_type="user",
            object_id=user.pk,
            object_label=user.username,
        )


def _change_teams(user: User, actor: Actor, values: set[str]) -> None:
    wanted = {team for value, team in settings.MOP_OIDC_TEAMS.items() if value in values}
    # the name of a personal team may be chosen by its person: nobody else is put into it
    shared = Team.objects.filter(name__in=settings.MOP_OIDC_TEAMS.values(), is_personal=False)
    teams = {team.name: team for team in shared}
    for missing in wanted - set(teams):
        logger.warning("MOP_OIDC_TEAMS names the team %r, which does not exist", missing)
    mine = set(user.teams.values_list("name", flat=True))
    for name in sorted(wanted & set(teams) - mine):
        add_member(actor=actor, team=teams[name], user=user)
    for name in sorted((set(teams) - wanted) & mine):
        remove_member(actor=actor, team=teams[name], user=user)


def _values(claims: Mapping[str, Any], name: str) -> set[str]:
    found = claims.get(name)
    if isinstance(found, str):
        return {found}
    return {str(one) for one in found} if isinstance(found, list) else set()
