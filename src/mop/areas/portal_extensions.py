"""Points of pages that areas extend: parts of the header, tabs, sections, columns, side panels."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from mop.areas.references import Ref


class ExtensionPoint(enum.Enum):
    """Where pages can be extended; `mop.ui.extensions` says what each point takes."""

    ACCOUNT_SECTIONS = "sections of a person's own page"
    ANALYSIS = "parts of Analysis"
    DATASET_SECTIONS = "sections of a dataset's page"
    DSAT_CASE_SECTIONS = "sections of a DSAT case's page"
    HEADER = "header"
    HOME = "what waits for a person, on Home"
    HOME_CARDS = "cards beside the lists of Home"
    MODEL_COLUMNS = "columns of the Models list"
    MODEL_PANELS = "side panels of a model's page"
    MODEL_SECTIONS = "sections of a model's page"
    MODEL_TABS = "tabs of a model"
    RELEASE_SECTIONS = "sections of a release's page"
    REVISION_CARDS = "cards beside a revision's Details"
    REVISION_COLUMNS = "columns of the version history, and key facts in the head of a model's page"
    REVISION_SECTIONS = "sections of a revision's Details"
    SERVICE_SECTIONS = "sections of a downstream service's page"
    TASK_SECTIONS = "sections of a task's page"


@dataclass(frozen=True)
class PortalExtension:
    """What an area adds to a point of a page, which may be another area's.

    `order` puts it before (negative) or behind what other areas add; equal ones stand in the layout's order.
    """

    point: ExtensionPoint
    what: Ref[Any]
    order: int = 0
