"""The engine as an area: its tables, the sweep of lost enqueues, and what is forgotten of work that ended."""

from __future__ import annotations

from mop.areas.area import Area
from mop.areas.references import Ref
from mop.areas.work import Schedule

SWEEP_SECONDS = 5.0
FORGET_SECONDS = 6 * 3600.0

AREA = Area(
    name="engine",
    schedules=(
        Schedule("worker.lost_enqueues", SWEEP_SECONDS, Ref("mop.engine.job:sweep_lost_enqueues")),
        Schedule("engine.forget", FORGET_SECONDS, Ref("mop.engine.retention:forget_ended")),
    ),
)
