"""Quotas: how much of the installation one team may use at once, so that no team takes it all.

An area says what is counted (`Area.team_quotas`). A limit is the installation's, by a setting, unless an administrator
gives the team one of its own; 0 means that there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction

from mop.accounts.actions import Action
from mop.accounts.models import Team, TeamLimit
from mop.areas.references import Setting
from mop.areas.registry import registered
from mop.audit.services import Actor, record
from mop.errors import NotFoundError, QuotaExceededError, ValidationFailedError
from mop.ui.templatetags.mop_ui import duration, size

LIMIT_MAX = 2**53  # what every reader of JSON holds exactly


@dataclass(frozen=True)
class Quota:
    """One thing that is counted for each team.

    Attributes:
        name: in API and CLI.
        label: what is counted, for people.
        unit: of its numbers, in the plural; `bytes` and `seconds` among them.
        setting: the installation's limit.
        used: how much of it a team uses now.
        hint: what a team does that has no more of it.
    """

    name: str
    label: str
    unit: str
    setting: Setting
    used: Callable[[Team], int]
    hint: str

    def shown(self, number: float) -> str:
        """A number of what is counted, for people."""
        if self.unit == "bytes":
            return size(number)
        if self.unit == "seconds":
            return duration(number)
        return f"{number:,.0f} {self.unit.removesuffix('s') if number == 1 else self.unit}"


@dataclass(frozen=True)
class Standing:
    """Where a team stands with a quota.

    Attributes:
        limit: 0 where there is none.
        is_own: an administrator gave the team this limit.
    """

    quota: Quota
    used: int
    limit: int
    is_own: bool

    @property
    def shown_used(self) -> str:
        """What is used, for people."""
        return self.quota.shown(self.used)

    @property
    def shown_limit(self) -> str:
        """The limit, for people."""
        return self.quota.shown(self.limit) if self.limit else "none"


def quotas() -> list[Quota]:
    """The quotas of all areas."""
    return [quota.load() for area in registered() for quota in area.team_quotas]


def get_quota(name: str) -> Quota:
    """A quota by name.

    Raises:
        NotFoundError: there is none.
    """
    found = next((quota for quota in quotas() if quota.name == name), None)
    if found is None:
        raise NotFoundError(f"There is no quota {name!r}; there are {', '.join(quota.name for quota in quotas())}.")
    return found


def standings_of(team: Team) -> list[Standing]:
    """Where a team stands with each quota."""
    own = dict(TeamLimit.objects.filter(team=team).values_list("quota", "limit"))
    return [
        Standing(quota, quota.used(team), own.get(quota.name, int(quota.setting.value)), quota.name in own)
        for quota in quotas()
    ]


def use(quota: Quota, team: Team, amount: int = 1) -> None:
    """Let a team use more of a quota. Call it in the transaction that then writes what is counted.

    Of two that ask at once the second waits for the first one's transaction, and counts what that wrote. Where there is
    no limit nobody waits.

    Raises:
        QuotaExceededError: it would be more than the team may; the message says the limit and what is used.
    """
    if not _limit_of(quota, team) or amount <= 0:
        return
    list(Team.objects.select_for_update(no_key=True).filter(pk=team.pk).values_list("pk"))
    limit, used = _limit_of(quota, team), quota.used(team)
    if limit and used + amount > limit:
        more = f", and this takes {amount:,}" if amount > 1 else ""
        raise QuotaExceededError(
            f"{quota.label} of the team {team.name}: {used:,} of {limit:,} {quota.unit} are used{more}.",
            hint=f"{quota.hint} An administrator can give the team a higher limit "
            f"(Administration, Teams, or `mop team limit`).",
        )


@transaction.atomic
def set_limit(*, actor: Actor, team: Team, quota: Quota, limit: int | None) -> None:
    """Give a team a limit of its own; 0: none; None: that of the installation. What is used already stays.

    Raises:
        ValidationFailedError: the limit is negative, or no number that can be kept.
    """
    if limit is not None and not 0 <= limit <= LIMIT_MAX:
        message = f"Give a number from 0 to {LIMIT_MAX:,}; 0 means without a limit."
        raise ValidationFailedError(f"limit: {message}", fields={"limit": [message]})
    mine = TeamLimit.objects.filter(team=team, quota=quota.name)
    if limit is None:
        mine.delete()
    else:
        TeamLimit.objects.update_or_create(team=team, quota=quota.name, defaults={"limit": limit})
    record(
        actor=actor,
        action=Action.TEAM_LIMIT_CHANGED,
        object_type="team",
        object_id=team.pk,
        object_label=team.name,
        data={"quota": quota.name, "limit": limit},
    )


def _limit_of(quota: Quota, team: Team) -> int:
    own = TeamLimit.objects.filter(team=team, quota=quota.name).values_list("limit", flat=True).first()
    return int(quota.setting.value) if own is None else own
