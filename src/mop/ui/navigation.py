"""The portal's navigation: the entries that areas declare, so there is no dead link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import rules
from django.urls import reverse

from mop.areas.navigation import NavEntry, NavGroup
from mop.areas.registry import registered

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True)
class NavLink:
    """An entry as one request shows it."""

    label: str
    icon: str
    url: str
    is_current: bool


def links(group: NavGroup, *, viewer: AbstractBaseUser, path: str) -> list[NavLink]:
    """The links of a group that the viewer may follow, in order, the current one marked."""
    found = sorted((entry for entry in _entries() if entry.group is group), key=lambda entry: entry.order)
    # the rule itself, as `may` asks it: `viewer.has_perm()` would read Django's own permissions, which nobody has
    return [_link(entry, path) for entry in found if not entry.permission or rules.has_perm(entry.permission, viewer)]


def home_url() -> str:
    """Where `/` leads: the first entry of the side bar."""
    first = min((entry for entry in _entries() if entry.group is NavGroup.MAIN), key=lambda entry: entry.order)
    return reverse(first.url_name)


def _entries() -> Iterator[NavEntry]:
    for area in registered():
        yield from area.navigation


def _link(entry: NavEntry, path: str) -> NavLink:
    url = reverse(entry.url_name)
    is_current = any(path.startswith(prefix) for prefix in (url, *entry.also))
    return NavLink(label=entry.label, icon=entry.icon, url=url, is_current=is_current)
