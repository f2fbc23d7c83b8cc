"""Scopes of access tokens: which parts of the product a token may read or write in its user's name.

A scope is written `<area>:read` or `<area>:write`; `write` includes `read`. `all` stands for every area, also for those
that a later version adds. What a token may do is what its user may do, within its scopes.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Self

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class RouteScope(enum.StrEnum):
    """What a token needs for an operation of the API: read access to an area for GET, write access for the rest."""

    label: str

    MODELS = "models", "Models"
    DATASETS = "datasets", "Evaluation datasets"
    EVALUATIONS = "evaluations", "Evaluations and load tests"
    DSAT = "dsat", "DSAT cases"
    RELEASES = "releases", "Releases"
    GROUPS = "groups", "Groups of models"
    TASKS = "tasks", "Tasks, taxonomies, instance types"
    ACCOUNT = "account", "My account: tokens, notifications"
    ADMINISTRATION = "administration", "Administration"
    ANY_TOKEN = "any", "any token"
    """Every token may, whatever its scopes."""

    def __new__(cls, value: str, label: str) -> Self:
        """A member from its value and its label."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    def needed(self, method: str) -> str:
        """The scope that a token needs; empty when every token may."""
        if self is RouteScope.ANY_TOKEN:
            return ""
        return f"{self.value}:{READ if method in READING_METHODS else WRITE}"


READ, WRITE = "read", "write"
ALL = "all"
ALL_READ, ALL_WRITE = f"{ALL}:{READ}", f"{ALL}:{WRITE}"
TOKEN_AREAS = tuple(scope for scope in RouteScope if scope is not RouteScope.ANY_TOKEN)
KNOWN_SCOPES = tuple(f"{area}:{access}" for area in (ALL, *TOKEN_AREAS) for access in (READ, WRITE))


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """Those that are none, in order."""
    return sorted(set(scopes) - set(KNOWN_SCOPES))


def normalised(scopes: Iterable[str]) -> list[str]:
    """The same access in the fewest words, in the order of KNOWN_SCOPES."""
    given = set(scopes)
    return [
        scope
        for scope in KNOWN_SCOPES
        if scope in given and not covers([other for other in given if other != scope], scope)
    ]


def scopes_label(scopes: Iterable[str]) -> str:
    """What scopes allow, as pages write it: `Models (read and write); Releases (read)`."""
    labels = {ALL: "Everything"} | {area.value: area.label for area in TOKEN_AREAS}
    parts = (scope.partition(":") for scope in scopes)
    return "; ".join(
        f"{labels.get(area, area)} ({'read and write' if access == WRITE else access})" for area, _, access in parts
    )


def covers(scopes: Iterable[str], needed: str) -> bool:
    """Whether a token of these scopes may do what needs a scope; an empty one needs nothing."""
    if not needed:
        return True
    area, _, access = needed.partition(":")
    enough = (WRITE,) if access == WRITE else (READ, WRITE)
    return any(f"{part}:{right}" in set(scopes) for part in (area, ALL) for right in enough)
