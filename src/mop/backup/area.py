"""Backups as an area: commands alone."""

from __future__ import annotations

from mop.areas.area import Area, Commands
from mop.areas.references import Ref

AREA = Area(
    name="backup",
    commands=(
        Commands(Ref("mop.cli.backup:app"), order=160),
        Commands(Ref("mop.cli.restore:app"), order=170),
    ),
)
