"""Advisories as an area."""

from __future__ import annotations

from mop.advisories.actions import Action
from mop.areas.area import Area, Commands
from mop.areas.references import Ref

AREA = Area(
    name="advisories",
    audit_actions=Action,
    commands=(Commands(Ref("mop.cli.advisories:app"), order=140),),
)
