"""DSAT cases as an area."""

from __future__ import annotations

from mop.areas.area import Area
from mop.dsat.actions import Action
from mop.dsat.kinds import Kind

AREA = Area(
    name="dsat",
    audit_actions=Action,
    notification_kinds=Kind,
)
