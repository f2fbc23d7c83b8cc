"""The one check of every url of a model or dataset: may this team read there?

MOP reads storage with its own identity, which sees the folders of all teams. Without this check anybody could onboard
another team's folder by naming it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q

from mop.accounts.models import Team
from mop.accounts.teams import Bond
from mop.audit.models import AuditEvent
from mop.errors import ModelUrlForbiddenError, MopError
from mop.file_names import quoted
from mop.sources.actions import Action
from mop.sources.configured import EVERYTHING, ConfiguredPrefix, read_prefixes
from mop.sources.models import SourcePrefix
from mop.sources.purposes import Purpose
from mop.sources.storage_settings import storage_config
from mop.storage.config import StorageConfig
from mop.storage.urls import BlobLocation, FileLocation, is_below, parse_prefix, parse_url

SHOWN = 20


@dataclass(frozen=True)
class Places:
    """Where a team may read for one purpose.

    Attributes:
        everywhere: below every configured root and account.
        prefixes: below these urls.
    """

    everywhere: bool
    prefixes: tuple[str, ...]

    def urls(self, config: StorageConfig) -> tuple[str, ...]:
        """The places as urls, for people."""
        if not self.everywhere:
            return self.prefixes
        return (*(account.url for account in config.azure_accounts), *(root.as_uri() for root in config.file_roots))


def allowed(team: Team, purpose: Purpose, url: str) -> FileLocation | BlobLocation:
    """Where a url points, if the operator allows it and it lies below a prefix of the team. Nothing is fetched.

    The url is read strictly first: `..`, percent codes that hide syntax, credentials and the like are refused there.
    Symbolic links below a root are refused when the folder is read, so that comparing the segments suffices.

    Raises:
        ModelRevisionEmptyModelUrlError: nothing was given.
        ModelUrlNotFoundError: it is not a url that names a folder.
        ModelUrlForbiddenError: it is outside the installation's roots and accounts, or outside the team's prefixes.
    """
    config = storage_config()
    location = parse_url(url, config)
    places = places_of([team], purpose)
    if places.everywhere or any(_covers(prefix, location, config) for prefix in places.prefixes):
        return location
    own = ", ".join(places.prefixes[:SHOWN])
    raise ModelUrlForbiddenError(
        f"The team {team.name} may not read {purpose} from {quoted(str(location))}. "
        + (f"Its source prefixes for {purpose}: {own}." if own else f"It has no source prefix for {purpose}."),
        hint="Use a folder below a source prefix of the team, or ask an administrator to add one "
        "(Administration, Source prefixes).",
    )


def places_of(teams: Iterable[Team], purpose: Purpose) -> Places:
    """Where any of the teams may read for the purpose, by the settings and the administrators' prefixes."""
    teams = list(teams)
    given = [one for one in configured_prefixes() if one.purpose is purpose]
    stored = SourcePrefix.objects.filter(purpose=purpose)
    if is_by_default(purpose, given):
        return Places(everywhere=not set(teams).isdisjoint(first_teams()), prefixes=())
    names = {EVERYTHING, *(team.name for team in teams)}
    own = stored.filter(Q(team=None) | Q(team__in=teams)).order_by("prefix").values_list("prefix", flat=True)
    prefixes = dict.fromkeys([*(one.prefix for one in given if one.team in names), *own])
    return Places(
        everywhere=EVERYTHING in prefixes,
        prefixes=tuple(prefix for prefix in prefixes if prefix != EVERYTHING),
    )


def teams_without_places(purpose: Purpose) -> list[str]:
    """Names of the shared teams that may read nowhere for the purpose."""
    shared = Team.objects.filter(is_personal=False).order_by("name")
    given = [one for one in configured_prefixes() if one.purpose is purpose]
    if is_by_default(purpose, given):
        shared = shared.exclude(pk__in=[team.pk for team in first_teams()])
        return list(shared.values_list("name", flat=True))
    stored = SourcePrefix.objects.filter(purpose=purpose)
    named = {one.team for one in given}
    if EVERYTHING in named or stored.filter(team=None).exists():
        return []
    return list(shared.exclude(name__in=named).exclude(pk__in=stored.values("team")).values_list("name", flat=True))


def is_by_default(purpose: Purpose, given: Iterable[ConfiguredPrefix] | None = None) -> bool:
    """Whether nobody ever gave a prefix for the purpose, so that all configured places are those of the first teams.

    So an installation of one team needs no step. Further teams get nothing until an administrator says what belongs to
    whom; who then takes the last prefix from its team gives nobody else everything.
    """
    given = configured_prefixes() if given is None else given
    if any(one.purpose is purpose for one in given) or SourcePrefix.objects.filter(purpose=purpose).exists():
        return False
    return not AuditEvent.objects.filter(action=Action.PREFIX_ADDED, data__purpose=purpose.value).exists()


def first_teams() -> list[Team]:
    """The oldest team, which is the personal one of the first account, and the oldest shared one; each once."""
    oldest = [Team.objects.order_by("pk").first(), Team.objects.filter(is_personal=False).order_by("pk").first()]
    return list(dict.fromkeys(team for team in oldest if team is not None))


def team_bonds() -> list[Bond]:
    """The teams of the settings, and those that read everywhere as long as no prefix is given to anybody.

    If such a team went, the next one would read everywhere.
    """
    given = configured_prefixes()
    bonds = [Bond(name, "MOP_SOURCE_PREFIXES names it") for name in sorted({one.team for one in given} - {EVERYTHING})]
    for purpose in Purpose:
        if is_by_default(purpose, [one for one in given if one.purpose is purpose]):
            why = f"it reads {purpose} everywhere as long as there are no source prefixes for {purpose}"
            bonds += [Bond(team.name, why, is_by_name=False) for team in first_teams()]
    return bonds


def configured_prefixes() -> tuple[ConfiguredPrefix, ...]:
    """The prefixes of the settings.

    Raises:
        ImproperlyConfigured: MOP_SOURCE_PREFIXES cannot be used.
    """
    try:
        return read_prefixes(settings.MOP_SOURCE_PREFIXES)
    except ValueError as error:
        raise ImproperlyConfigured(f"MOP_SOURCE_PREFIXES: {error}") from None


def is_usable(prefix: str, config: StorageConfig) -> bool:
    """Whether a prefix lies below a configured root or account; one that does not allows nothing."""
    try:
        return prefix == EVERYTHING or bool(parse_prefix(prefix, config))
    except MopError:
        return False


def _covers(prefix: str, location: FileLocation | BlobLocation, config: StorageConfig) -> bool:
    try:
        return is_below(location, parse_prefix(prefix, config))
    except MopError:  # its root or account is no longer configured
        return False
