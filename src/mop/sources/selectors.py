"""Reads of source prefixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from mop.accounts.models import User
from mop.errors import NotFoundError
from mop.sources.configured import EVERYTHING
from mop.sources.models import SourcePrefix
from mop.sources.prefixes import configured_prefixes, first_teams, is_by_default, is_usable
from mop.sources.purposes import Purpose
from mop.sources.storage_settings import storage_config

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True)
class ShownPrefix:
    """One prefix, wherever it was given.

    Attributes:
        id: by which it can be removed; None for one of the settings, and for the default.
        team: its team's name; empty for every team.
        purpose: what the team reads there.
        prefix: a url, or `*` for every configured root and account.
        origin: `administrator`, `settings` or `default`.
        is_usable: it lies below a configured root or account; otherwise it allows nothing.
        created_by: who added it.
        created_at: when.
    """

    id: int | None
    team: str
    purpose: Purpose
    prefix: str
    origin: str
    is_usable: bool
    created_by: str | None = None
    created_at: dt.datetime | None = None


def visible_prefixes(user: User) -> list[ShownPrefix]:
    """The prefixes of the user's teams and of every team; for administrators all. Those of the settings come first."""
    config = storage_config()
    stored = SourcePrefix.objects.select_related("team", "created_by").order_by("team__name", "purpose", "prefix")
    given = configured_prefixes()
    first = first_teams()
    teams = set(user.teams.values_list("name", flat=True))
    if not user.is_administrator:
        stored = stored.filter(Q(team=None) | Q(team__name__in=teams))
        given = tuple(one for one in given if one.team in {EVERYTHING, *teams})
        first = [team for team in first if team.name in teams]
    defaults = [
        ShownPrefix(None, team.name, purpose, EVERYTHING, "default", is_usable=True)
        for purpose in Purpose
        if is_by_default(purpose)
        for team in first
    ]
    of_settings = [
        ShownPrefix(
            id=None,
            team="" if one.team == EVERYTHING else one.team,
            purpose=one.purpose,
            prefix=one.prefix,
            origin="settings",
            is_usable=is_usable(one.prefix, config),
        )
        for one in given
    ]
    of_administrators = [
        ShownPrefix(
            id=row.pk,
            team=row.team.name if row.team else "",
            purpose=Purpose(row.purpose),
            prefix=row.prefix,
            origin="administrator",
            is_usable=is_usable(row.prefix, config),
            created_by=row.created_by.username,
            created_at=row.created_at,
        )
        for row in stored
    ]
    return [*defaults, *of_settings, *of_administrators]


def get_prefix(prefix_id: int) -> SourcePrefix:
    """A prefix that an administrator added, by its id.

    Raises:
        NotFoundError: there is none.
    """
    row = SourcePrefix.objects.select_related("team").filter(pk=prefix_id).first()
    if row is None:
        raise NotFoundError(f"There is no source prefix {prefix_id}.")
    return row
