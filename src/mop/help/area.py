"""Help as an area: the guides and the description of the API as pages of the portal."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.references import Ref

AREA = Area(
    name="help",
    routers=(Ref("mop.help.api:router"),),
    urls=(Urls("mop.help.urls", prefix="help/"),),
    permissions=Ref("mop.help.permissions:PERMISSIONS"),
    searches=(Ref("mop.help.guides:HELP"),),
    commands=(Commands(Ref("mop_client.cli.guide:app"), order=84),),
)
