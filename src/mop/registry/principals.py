"""Who must be able to read a url: the note beside the field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mop.accounts.models import Team
from mop.errors import MopError, NotAllowedError
from mop.sources.prefixes import allowed, places_of
from mop.sources.purposes import Purpose
from mop.sources.storage_settings import storage_config
from mop.storage.principals import READER_ROLE, grant_command, principal
from mop.storage.urls import BlobLocation, FileLocation


@dataclass(frozen=True)
class PrincipalNote:
    """What to tell the person who types a url; `command` grants the role, where there is a role to grant."""

    text: str
    command: str = ""
    is_problem: bool = False


def principal_note(url: str, teams: Iterable[Team], purpose: Purpose = Purpose.MODELS) -> PrincipalNote:
    """The note for what stands in the field, for the teams that it may become one of; reads no storage."""
    config = storage_config()
    teams = list(teams)
    if not url.strip():
        places = places_of(teams, purpose).urls(config)
        if not (config.azure_accounts or config.file_roots):
            return PrincipalNote("This installation allows no place for model folders yet; ask its operator.")
        if not places:
            return PrincipalNote(
                "Your teams have no place for model folders yet. Ask an administrator to add a source prefix."
            )
        return PrincipalNote(f"Allowed here: {', '.join(f'{place}/' for place in places)}")
    try:
        location = _allowed_for_one(teams, purpose, url.strip())
        who = principal(config, url.strip())
    except MopError as error:
        return PrincipalNote(f"{error.message} {error.hint}".strip(), is_problem=True)
    if isinstance(location, BlobLocation):
        return PrincipalNote(
            f"MOP reads this as {who}; it needs the role {READER_ROLE} on the container {location.container}.",
            command=grant_command(location),
        )
    return PrincipalNote(f"MOP reads this as {who}; that user must be able to read the folder.")


def _allowed_for_one(teams: Sequence[Team], purpose: Purpose, url: str) -> FileLocation | BlobLocation:
    """Where the url points, for the first of the teams that may read there; the first team's refusal if none may."""
    refusals: list[MopError] = []
    for team in teams:
        try:
            return allowed(team, purpose, url)
        except MopError as error:
            refusals.append(error)
    raise refusals[0] if refusals else NotAllowedError("You belong to no team.")
