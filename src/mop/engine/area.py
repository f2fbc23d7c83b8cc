"""The engine as an area: its tables, and the sweep of lost enqueues."""

from __future__ import annotations

from mop.areas.area import Area
from mop.areas.references import Ref
from mop.areas.work import Schedule

SWEEP_SECONDS = 5.0

AREA = Area(
    name="engine",
    schedules=(Schedule("worker.lost_enqueues", SWEEP_SECONDS, Ref("mop.engine.job:sweep_lost_enqueues")),),
)
