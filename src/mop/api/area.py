"""The assembled API as an area: its address, and the description of all operations."""

from __future__ import annotations

from mop.areas.area import Area, Urls
from mop.areas.references import Ref

AREA = Area(name="api", urls=(Urls("mop.api.urls", prefix="api/"),), permissions=Ref("mop.api.permissions:PERMISSIONS"))
