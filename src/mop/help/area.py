"""Help as an area: the guides and the description of the API as pages of the portal."""

from __future__ import annotations

from mop.areas.area import Area, Urls
from mop.areas.references import Ref

AREA = Area(
    name="help",
    urls=(Urls("mop.help.urls", prefix="help/"),),
    permissions=Ref("mop.help.permissions:PERMISSIONS"),
    searches=(Ref("mop.help.guides:HELP"),),
)
