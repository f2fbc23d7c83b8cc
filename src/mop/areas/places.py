"""Places in pages that areas fill with what they know: parts of the header, tabs, sections, columns, side panels."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from mop.areas.references import Ref


class Place(enum.Enum):
    """Where something is shown; `mop.ui.extensions` says what each place takes."""

    HEADER = "header"
    MODEL_PANELS = "side panels of a model's page"
    MODEL_TABS = "tabs of a model"
    REVISION_COLUMNS = "columns of the version history"
    REVISION_SECTIONS = "sections of a revision's Details"
    TASK_SECTIONS = "sections of a task's page"


@dataclass(frozen=True)
class Shown:
    """Something that an area shows in a place of a page, which may be another area's."""

    place: Place
    what: Ref[Any]
