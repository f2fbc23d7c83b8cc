"""The audit log as an area: tables alone."""

from __future__ import annotations

from mop.areas.area import Area

AREA = Area(name="audit")
