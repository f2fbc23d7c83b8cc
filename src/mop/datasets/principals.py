"""Who must be able to read a dataset url: the note beside the field."""

from __future__ import annotations

import dataclasses

from mop.datasets.sources import folder_url
from mop.datasets.wording import reworded
from mop.registry.principals import PrincipalNote, principal_note


def dataset_principal_note(url: str) -> PrincipalNote:
    """The note for what stands in the field; reads nothing from any storage."""
    note = principal_note(folder_url(url))
    return dataclasses.replace(note, text=reworded(note.text))
