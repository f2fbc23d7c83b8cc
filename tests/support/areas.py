"""Areas that exist for one test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mop.areas import registry
from mop.areas.area import Area


@contextmanager
def also_registered(area: Area) -> Iterator[None]:
    """Let this process know one more area for a while."""
    registry.register(area)
    try:
        yield
    finally:
        del registry._areas[area.name]
