"""Home and Analysis as an area."""

from __future__ import annotations

from mop.areas.area import Area, Urls
from mop.areas.navigation import NavEntry
from mop.areas.references import Ref

AREA = Area(
    name="insights",
    routers=(Ref("mop.insights.api:router"),),
    urls=(Urls("mop.insights.urls"),),
    permissions=Ref("mop.insights.permissions:PERMISSIONS"),
    navigation=(
        NavEntry("Home", "home", "insights:home", order=0),
        NavEntry("Analysis", "analysis", "insights:analysis", order=5),
    ),
)
