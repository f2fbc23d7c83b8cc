"""Which revisions areas work on, so that their status may change though their pipeline is done."""

from __future__ import annotations

import uuid

from mop.areas.registry import registered


def worked_on() -> set[uuid.UUID]:
    """The revisions that an area works on. Ask before reading what is shown of them."""
    return {revision for area in registered() for work in area.work_on_revisions for revision in work.load()()}
