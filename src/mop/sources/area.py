"""Source prefixes as an area."""

from __future__ import annotations

from mop.areas.area import Area, Commands, Urls
from mop.areas.navigation import NavEntry, NavGroup
from mop.areas.references import Ref
from mop.sources.actions import Action

AREA = Area(
    name="sources",
    routers=(Ref("mop.sources.api:router"),),
    urls=(Urls("mop.sources.urls"),),
    permissions=Ref("mop.sources.permissions:PERMISSIONS"),
    navigation=(
        NavEntry(
            "Source prefixes",
            "sources",
            "sources:prefixes",
            order=15,
            group=NavGroup.ADMINISTRATION,
            permission="sources.define",
        ),
    ),
    audit_actions=Action,
    team_bonds=(Ref("mop.sources.prefixes:team_bonds"),),
    commands=(Commands(Ref("mop_client.cli.source_prefixes:app"), order=105),),
)
