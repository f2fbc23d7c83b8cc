"""The portal's frame as an area: its pages belong to no other."""

from __future__ import annotations

from mop.areas.area import Area, Urls
from mop.areas.references import Ref

AREA = Area(name="ui", urls=(Urls("mop.ui.urls"),), permissions=Ref("mop.ui.permissions:PERMISSIONS"))
