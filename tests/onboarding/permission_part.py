"""Logs in the world of the permission tests."""

from __future__ import annotations

from support.permission_world import Part

PART = Part(names=lambda _world, row: {"kind": "build"} if "/logs/" in row.path else {})
