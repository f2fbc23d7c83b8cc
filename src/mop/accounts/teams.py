"""Changing and deleting teams.

What a team can be asked for by name (`team.models`, `team.webhooks`) belongs to it and keeps it from being deleted. A
relation without such a name only mentions the team, and ends with it. So the models of an area above say what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from mop.accounts.actions import Action
from mop.accounts.models import Team, TeamMembership
from mop.accounts.services import ensure_team
from mop.accounts.validation import save_checked
from mop.areas.registry import registered
from mop.audit.services import Actor, record
from mop.errors import ConflictError

NAMED_MAX = 5


@dataclass(frozen=True)
class InTheWay:
    """Things of one kind that a team has.

    Attributes:
        label: the kind, such as "source prefixes".
        count: how many.
        names: the first of them.
    """

    label: str
    count: int
    names: Sequence[str]

    def __str__(self) -> str:
        more = f" and {self.count - len(self.names)} more" if self.count > len(self.names) else ""
        return f"{self.label}: {', '.join(self.names)}{more}"


@dataclass(frozen=True)
class Bond:
    """Why a team must stay, as an area says it (`Area.team_bonds`).

    Attributes:
        team: its name.
        why: a clause about the team.
        is_by_name: whether it must also keep its name.
    """

    team: str
    why: str
    is_by_name: bool = True


def in_the_way(team: Team) -> list[InTheWay]:
    """What has to go, or to go elsewhere, before the team can be deleted."""
    found = []
    for relation in Team._meta.related_objects:  # noqa: SLF001 - public; those without a name are not among them
        if relation.related_model is TeamMembership:
            continue
        things = relation.related_model._default_manager.filter(**{relation.field.name: team})  # noqa: SLF001 - as Django itself does
        if count := things.count():
            label = str(relation.get_accessor_name()).replace("_", " ")
            found.append(InTheWay(label, count, [str(thing) for thing in things[:NAMED_MAX]]))
    return found


def bonds_of(team: Team) -> list[Bond]:
    """What ties the installation to the team."""
    return [
        bond for area in registered() for bonds in area.team_bonds for bond in bonds.load()() if bond.team == team.name
    ]


@transaction.atomic
def change_team(*, actor: Actor, team: Team, name: str | None = None, description: str | None = None) -> None:
    """Give a team another name or description; None leaves it as it is.

    Raises:
        ConflictError: the installation knows it by its name.
        ValidationFailedError: the name is taken or empty.
    """
    data: dict[str, object] = {}
    if name is not None and name != team.name:
        _refuse(team, "renamed", [bond for bond in bonds_of(team) if bond.is_by_name])
        data |= {"name": name, "former_name": team.name}
        team.name = name
    if description is not None and description != team.description:
        data["description"] = "changed"
        team.description = description
    if not data:
        return
    save_checked(team)
    record(
        actor=actor,
        action=Action.TEAM_CHANGED,
        object_type="team",
        object_id=team.pk,
        object_label=team.name,
        data=data,
    )


@transaction.atomic
def delete_team(*, actor: Actor, team: Team) -> None:
    """Delete a team that has nothing. Members whose only team it was get a personal one.

    Raises:
        ConflictError: something belongs to it, or the installation needs it.
    """
    _refuse(team, "deleted", bonds_of(team))
    locked = Team.objects.select_for_update().get(pk=team.pk)
    if things := in_the_way(locked):
        raise ConflictError(
            f"The team {team.name} still has {'; '.join(str(one) for one in things)}.",
            hint="Delete these first. Models, tasks and datasets cannot move to another team.",
        )
    members, key = list(locked.members.all()), locked.pk
    locked.delete()
    record(
        actor=actor,
        action=Action.TEAM_DELETED,
        object_type="team",
        object_id=key,
        object_label=team.name,
        data={"members": sorted(member.username for member in members)},
    )
    for member in members:
        ensure_team(actor=actor, user=member)


def _refuse(team: Team, what: str, bonds: Sequence[Bond]) -> None:
    if bonds:
        raise ConflictError(
            f"The team {team.name} cannot be {what}: {' and '.join(bond.why for bond in bonds)}.",
            hint="Change that first.",
        )
