"""Where advisories come from."""

from __future__ import annotations

import enum


class Source(enum.StrEnum):
    """The values of MOP_ADVISORIES."""

    OSV = "osv"
    IMPORTED = "imported"
    OFF = "off"
