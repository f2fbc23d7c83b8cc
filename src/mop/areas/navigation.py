"""Entries of the portal's navigation."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class NavGroup(enum.Enum):
    """Where an entry stands: the side bar, or one of the two parts of the user menu."""

    MAIN = "main"
    ACCOUNT = "account"
    ADMINISTRATION = "administration"


@dataclass(frozen=True)
class NavEntry:
    """One link: its text, icon, url name, and the permission without which it is not shown.

    `also` lists further url prefixes that belong to the entry, for marking the current one.
    """

    label: str
    icon: str
    url_name: str
    order: int
    group: NavGroup = NavGroup.MAIN
    permission: str = ""
    also: tuple[str, ...] = ()
