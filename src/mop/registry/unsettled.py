"""Which revisions areas above work on, so that their status may change though their pipeline is done."""

from __future__ import annotations

import uuid
from collections.abc import Callable

# Asked of the areas above: each returns the revisions that its work waits for or runs on.
WORK_ON_REVISIONS: list[Callable[[], set[uuid.UUID]]] = []


def worked_on() -> set[uuid.UUID]:
    """The revisions that an area above works on. Ask before reading what is shown of them."""
    return {revision for work in WORK_ON_REVISIONS for revision in work()}
