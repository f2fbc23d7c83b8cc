"""The assembled API as an area: its address, and the description of all operations."""

from __future__ import annotations

from mop.areas.area import Area, Urls
from mop.areas.references import Ref
from mop.areas.work import Schedule

FORGET_SECONDS = 3600.0

AREA = Area(
    name="api",
    urls=(Urls("mop.api.urls", prefix="api/"),),
    permissions=Ref("mop.api.permissions:PERMISSIONS"),
    schedules=(Schedule("api.forget", FORGET_SECONDS, Ref("mop.api.services:forget_old")),),
)
