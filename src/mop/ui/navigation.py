"""The portal's navigation: areas put in the entries whose pages exist, so there is no dead link.

An area calls `register` in its `AppConfig.ready()`; ui knows no area.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

import rules
from django.urls import reverse

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


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


@dataclass(frozen=True)
class NavLink:
    """An entry as one request shows it."""

    label: str
    icon: str
    url: str
    is_current: bool


_entries: dict[str, NavEntry] = {}


def register(entry: NavEntry) -> None:
    """Put an entry into the navigation; the same url name again replaces it."""
    _entries[entry.url_name] = entry


def links(group: NavGroup, *, viewer: AbstractBaseUser, path: str) -> list[NavLink]:
    """The links of a group that the viewer may follow, in order, the current one marked."""
    found = sorted((entry for entry in _entries.values() if entry.group is group), key=lambda entry: entry.order)
    # the rule itself, as `may` asks it: `viewer.has_perm()` would read Django's own permissions, which nobody has
    return [_link(entry, path) for entry in found if not entry.permission or rules.has_perm(entry.permission, viewer)]


def home_url() -> str:
    """Where `/` leads: the first entry of the side bar."""
    first = min((entry for entry in _entries.values() if entry.group is NavGroup.MAIN), key=lambda entry: entry.order)
    return reverse(first.url_name)


def _link(entry: NavEntry, path: str) -> NavLink:
    url = reverse(entry.url_name)
    is_current = any(path.startswith(prefix) for prefix in (url, *entry.also))
    return NavLink(label=entry.label, icon=entry.icon, url=url, is_current=is_current)
