"""Writes to users and teams."""

from __future__ import annotations

import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.forms import EmailField

from mop.accounts.access_ends import end_access, tell_departure
from mop.accounts.actions import Action
from mop.accounts.models import Team, TeamMembership, User, UserEmail
from mop.accounts.validation import not_valid, save_checked
from mop.areas.registry import registered
from mop.audit.services import Actor, record
from mop.errors import ConflictError, ValidationFailedError

EMAIL_MAX = 254


def actor_of(user: User, address: str = "") -> Actor:
    """The audit actor for a signed-in user."""
    return Actor(id=str(user.pk), label=user.username, address=address)


@transaction.atomic
def create_user(
    *,
    actor: Actor,
    username: str,
    password: str | None,
    is_administrator: bool = False,
    team: Team | None = None,
    is_self_named: bool = False,
) -> User:
    """Add a local account in a team, or with its personal one; without a password it cannot sign in to the portal.

    Args:
        actor: who adds it.
        username: of the account.
        password: by which it signs in.
        is_administrator: whether it is one.
        team: that it joins.
        is_self_named: the person chose the username, or the provider did.

    Raises:
        ValidationFailedError: the name is taken or not allowed, or the password is too weak.
    """
    user = User(username=username, is_superuser=is_administrator, is_staff=is_administrator)
    try:
        if password is None:
            user.set_unusable_password()
        else:
            validate_password(password, user)
            user.set_password(password)
        user.full_clean()
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            raise not_valid(error) from error
        raise ValidationFailedError(" ".join(error.messages), fields={"password": error.messages}) from error
    user.save()
    record(
        actor=actor,
        action=Action.USER_CREATED,
        object_type="user",
        object_id=user.pk,
        object_label=username,
        data={"is_administrator": is_administrator},
    )
    if team is not None:
        add_member(actor=actor, team=team, user=user)
    ensure_team(actor=actor, user=user, is_self_named=is_self_named)
    return user


@transaction.atomic
def change_access(
    *, actor: Actor, user: User, is_active: bool | None = None, is_administrator: bool | None = None
) -> None:
    """Enable or disable an account, make it administrator or not; None leaves it as it is by then.

    Keeping out, and taking the role of administrators, end all its sessions and tokens at once; with the first, areas
    end what they do in its name (`Area.departures`).

    Raises:
        ConflictError: nobody would be administrator any more.
    """
    administrators = Q(is_active=True, is_superuser=True)
    locked = User.objects.select_for_update().filter(Q(pk=user.pk) | administrators).order_by("pk")
    rows = {row.pk: row for row in locked}
    before = rows.pop(user.pk)
    user.is_active = before.is_active if is_active is None else is_active
    user.is_superuser = user.is_staff = before.is_superuser if is_administrator is None else is_administrator
    if not user.is_administrator and not rows:
        raise ConflictError(f"{user.username} is the last administrator.", hint="Make another administrator first.")
    user.save(update_fields=["is_active", "is_superuser", "is_staff"])
    record(
        actor=actor,
        action=Action.USER_ACCESS_CHANGED,
        object_type="user",
        object_id=user.pk,
        object_label=user.username,
        data={"is_active": user.is_active, "is_administrator": user.is_superuser},
    )
    disabled = before.is_active and not user.is_active
    if disabled or (before.is_superuser and not user.is_superuser):
        end_access(actor=actor, user=user, why="account disabled" if disabled else "no administrator any more")
    if disabled:
        tell_departure(actor=actor, user=user)


@transaction.atomic
def change_email(*, actor: Actor, user: User, email: str) -> None:
    """Set the address that a person is written to; empty: none. Does nothing if it is that already.

    Raises:
        ValidationFailedError: it is no address.
    """
    if email == user.email:
        return
    try:
        user.email = EmailField(required=False, max_length=EMAIL_MAX).clean(email)
    except ValidationError as error:
        raise ValidationFailedError(" ".join(error.messages), fields={"email": error.messages}) from error
    user.save(update_fields=["email"])
    if user.email:
        UserEmail.objects.get_or_create(user=user, email=user.email.casefold())
    record(
        actor=actor, action=Action.USER_EMAIL_CHANGED, object_type="user", object_id=user.pk, object_label=user.username
    )


@transaction.atomic
def create_team(*, actor: Actor, name: str, description: str = "", is_personal: bool = False) -> Team:
    """Add a team.

    Raises:
        ValidationFailedError: the name is taken or empty.
    """
    team = Team(name=name, description=description, is_personal=is_personal)
    save_checked(team)
    record(actor=actor, action=Action.TEAM_CREATED, object_type="team", object_id=team.pk, object_label=name)
    return team


@transaction.atomic
def add_member(*, actor: Actor, team: Team, user: User) -> None:
    """Put a user into a team; does nothing if they are in it."""
    _, created = TeamMembership.objects.get_or_create(team=team, user=user)
    if created:
        record(
            actor=actor,
            action=Action.TEAM_MEMBER_ADDED,
            object_type="team",
            object_id=team.pk,
            object_label=team.name,
            data={"user": user.username},
        )


@transaction.atomic
def remove_member(*, actor: Actor, team: Team, user: User) -> None:
    """Take a user out of a team; one left without a team gets a personal one."""
    removed, _ = TeamMembership.objects.filter(team=team, user=user).delete()
    if removed:
        record(
            actor=actor,
            action=Action.TEAM_MEMBER_REMOVED,
            object_type="team",
            object_id=team.pk,
            object_label=team.name,
            data={"user": user.username},
        )
        ensure_team(actor=actor, user=user)


def ensure_team(*, actor: Actor, user: User, is_self_named: bool = True) -> Team:
    """The user's first team; someone without a team gets a personal one.

    By a name that a person chose for themselves they get no team that the operator's settings name: it may read what
    is kept for a shared team that is not made yet.
    """
    team = user.teams.order_by("is_personal", "name").first()
    if team is not None:
        return team
    reserved = _names_in_settings() if is_self_named else frozenset()
    for name in (user.username, f"{user.username} (personal)", f"{user.username} {secrets.token_hex(3)}"):
        if name in reserved:
            continue
        try:
            with transaction.atomic():
                team = create_team(
                    actor=actor, name=name, description=f"Personal team of {user.username}", is_personal=True
                )
        except (ValidationFailedError, IntegrityError):
            continue
        add_member(actor=actor, team=team, user=user)
        return team
    raise ValidationFailedError(f"no free name for a personal team of {user.username}")


def _names_in_settings() -> frozenset[str]:
    bonds = [bond for area in registered() for bonds in area.team_bonds for bond in bonds.load()()]
    return frozenset(bond.team for bond in bonds if bond.is_by_name)
