"""The areas that this process knows. What is assembled from areas reads them here, when it is asked.

Portal, API and worker know them by `AppConfig.ready()`. The command line runs without Django and calls
`register_installed`.
"""

from __future__ import annotations

from importlib import import_module

from mop.areas.area import Area
from mop.areas.installed import AREAS

_areas: dict[str, Area] = {}


def register(area: Area) -> None:
    """Make an area known; the same area again is harmless.

    Raises:
        ValueError: a bug: another area has its name.
    """
    if _areas.setdefault(area.name, area) is not area:
        raise ValueError(f"two areas are named {area.name!r}")


def registered() -> tuple[Area, ...]:
    """Every area, in the order in which they became known."""
    return tuple(_areas.values())


def register_installed() -> None:
    """Make every installed area known in a process without Django."""
    for package in AREAS:
        register(area_of(package))


def area_of(package: str) -> Area:
    """The area that a package defines as `AREA` in its file `area.py`."""
    area = import_module(f"{package}.area").AREA
    if not isinstance(area, Area):
        raise TypeError(f"{package}.area.AREA is no Area")
    return area
