"""Who must be able to read a dataset url: the note beside the field."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from mop.accounts.models import Team
from mop.datasets.sources import folder_url
from mop.datasets.wording import reworded
from mop.registry.principals import PrincipalNote, principal_note
from mop.sources.purposes import Purpose


def dataset_principal_note(url: str, teams: Iterable[Team]) -> PrincipalNote:
    """The note for what stands in the field, for the teams that the datasets may become one of; reads no storage."""
    note = principal_note(folder_url(url), teams, Purpose.DATASETS)
    return dataclasses.replace(note, text=reworded(note.text))
