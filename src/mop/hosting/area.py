"""Hosting as an area: what lies on a host is collected there."""

from __future__ import annotations

from mop.areas.area import Area, Commands
from mop.areas.references import Ref, Setting
from mop.areas.work import Schedule

HOUR = 3600.0

AREA = Area(
    name="hosting",
    schedules=(
        Schedule(
            "garbage",
            Setting("MOP_GC_HOURS", HOUR),
            Ref("mop.hosting.garbage_collection:collect_garbage"),
            each_host=True,
        ),
    ),
    commands=(Commands(Ref("mop.cli.gc:app"), order=150),),
)
