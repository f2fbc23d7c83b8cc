"""Reads of users, teams and tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from mop.accounts.models import PersonalAccessToken, SignIn, Team, TeamMembership, User
from mop.errors import NotFoundError


def visible_teams(user: User) -> QuerySet[Team]:
    """Teams by name with `is_member`: the user's own and all shared ones; administrators see personal ones too."""
    mine = Exists(TeamMembership.objects.filter(team=OuterRef("pk"), user=user))
    teams = Team.objects.annotate(is_member=mine).order_by("name")
    if user.is_administrator:
        return teams
    return teams.filter(Q(is_personal=False) | Q(is_member=True))


def get_team(user: User, name: str) -> Team:
    """A visible team by name.

    Raises:
        NotFoundError: there is none that the user may see.
    """
    team = visible_teams(user).filter(name=name).first()
    if team is None:
        raise NotFoundError(f"There is no team {name!r} that you may see.")
    return team


def get_team_by_id(team_id: int) -> Team:
    """A team by id, for administrators: they see every team.

    Raises:
        NotFoundError: there is none.
    """
    team = Team.objects.filter(pk=team_id).first()
    if team is None:
        raise NotFoundError(f"There is no team {team_id}.")
    return team


def get_user(username: str) -> User:
    """An active user by name.

    Raises:
        NotFoundError: there is none.
    """
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NotFoundError(f"There is no user {username!r}.")
    return user


def get_people(names: Iterable[str], *, known: Iterable[User] = ()) -> list[User]:
    """Active users by name, each once, in that order.

    Args:
        names: of them.
        known: people who may stay what they are although their accounts are disabled.

    Raises:
        NotFoundError: there is no user of one of the names.
    """
    staying = {user.username: user for user in known}
    return [staying.get(name) or get_user(name) for name in dict.fromkeys(names)]


def get_person(username: str) -> User:
    """Anybody with an account, enabled or disabled, for administrators.

    Raises:
        NotFoundError: there is none.
    """
    user = people_for_list().filter(username=username).first()
    if user is None:
        raise NotFoundError(f"There is no user {username!r}.")
    return user


PEOPLE_MAX = 10
GRAIN_SECONDS = 300.0  # when a session was last seen is written down at most so often
PEOPLE_LETTERS_MIN = 2


def search_people(text: str) -> QuerySet[User]:
    """Up to PEOPLE_MAX active users whose user name or name holds the text; none for less than two letters."""
    text = text.replace("\0", "").strip()
    if len(text) < PEOPLE_LETTERS_MIN:
        return User.objects.none()
    holds = Q(username__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text)
    return User.objects.filter(holds, is_active=True).order_by("username")[:PEOPLE_MAX]


def people_for_list(*, search: str = "", which: str = "") -> QuerySet[User]:
    """People with an account, with their teams and whether they are of the provider (`is_of_provider`).

    Args:
        search: part of the user name, the name or the e-mail address.
        which: `enabled`, `disabled` or `administrators`; empty for everybody.
    """
    people = User.objects.annotate(is_of_provider=Exists(SocialAccount.objects.filter(user=OuterRef("pk"))))
    people = people.prefetch_related("teams")
    if search:
        holds = Q(username__icontains=search) | Q(first_name__icontains=search)
        people = people.filter(holds | Q(last_name__icontains=search) | Q(email__icontains=search))
    if which == "administrators":
        return people.filter(is_superuser=True)
    return people.filter(is_active=which == "enabled") if which else people


def sessions_of(user: User) -> QuerySet[SignIn]:
    """The user's sessions of the portal that are not over, the one seen last first."""
    now = timezone.now()
    return user.sign_ins.filter(
        created_at__gt=now - dt.timedelta(seconds=settings.MOP_SESSION_MAX_SECONDS),
        seen_at__gt=now - dt.timedelta(seconds=settings.MOP_SESSION_IDLE_SECONDS + GRAIN_SECONDS),
    )


def get_session(user: User, session_id: int) -> SignIn:
    """One of the user's own sessions.

    Raises:
        NotFoundError: it is not theirs, it is over, or there is none.
    """
    row = sessions_of(user).filter(pk=session_id).first()
    if row is None:
        raise NotFoundError("There is no such session.")
    return row


def tokens_of(user: User, *, seen_by: PersonalAccessToken | None = None) -> QuerySet[PersonalAccessToken]:
    """The user's tokens, newest first, revoked and expired ones too; a token sees itself and what it made."""
    tokens = PersonalAccessToken.objects.filter(user=user).order_by("-created_at", "-pk")
    return tokens.filter(Q(pk=seen_by.pk) | Q(made_by=seen_by)) if seen_by else tokens


def get_token(user: User, token_id: int, *, seen_by: PersonalAccessToken | None = None) -> PersonalAccessToken:
    """One of the user's own tokens.

    Raises:
        NotFoundError: it is not theirs, the token that asks does not see it, or there is none.
    """
    token = tokens_of(user, seen_by=seen_by).filter(pk=token_id).first()
    if token is None:
        raise NotFoundError(f"You have no token {token_id}.")
    return token
