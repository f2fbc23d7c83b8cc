"""Who must be able to read a model url: the note beside the field."""

from __future__ import annotations

from dataclasses import dataclass

from mop.errors import MopError
from mop.registry.sources import storage_config
from mop.storage.principals import READER_ROLE, grant_command, principal
from mop.storage.urls import BlobLocation, parse_url


@dataclass(frozen=True)
class PrincipalNote:
    """What to tell the person who types a url; `command` grants the role, where there is a role to grant."""

    text: str
    command: str = ""
    is_problem: bool = False


def principal_note(url: str) -> PrincipalNote:
    """The note for what stands in the field; reads nothing from any storage."""
    config = storage_config()
    if not url.strip():
        places = [
            *(f"{account.url}/" for account in config.azure_accounts),
            *(f"{root.as_uri()}/" for root in config.file_roots),
        ]
        if not places:
            return PrincipalNote("This installation allows no place for model folders yet; ask its operator.")
        return PrincipalNote(f"Allowed here: {', '.join(places)}")
    try:
        location = parse_url(url.strip(), config)
        who = principal(config, url.strip())
    except MopError as error:
        return PrincipalNote(f"{error.message} {error.hint}".strip(), is_problem=True)
    if isinstance(location, BlobLocation):
        return PrincipalNote(
            f"MOP reads this as {who}; it needs the role {READER_ROLE} on the container {location.container}.",
            command=grant_command(location),
        )
    return PrincipalNote(f"MOP reads this as {who}; that user must be able to read the folder.")
