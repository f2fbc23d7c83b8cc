"""Search over everything that areas register: each finds what the reader may see, and no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mop.areas.registry import registered

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

CHARACTERS_MIN = 2
CHARACTERS_MAX = 200


@dataclass(frozen=True)
class Hit:
    """One thing that was found: its name, a note beside it, and its page."""

    name: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class Search:
    """What an area lets people find.

    Attributes:
        label: of the kind, in the plural: Models, Tasks.
        icon: of icons.svg.
        find: given the reader, the text and how many at most; the best first. It keeps to what the reader may see.
    """

    label: str
    icon: str
    find: Callable[[Any, str, int], Sequence[Hit]]


@dataclass(frozen=True)
class Found:
    """Hits of one kind; `has_more` tells that there are others."""

    label: str
    icon: str
    hits: Sequence[Hit]
    has_more: bool


def searches() -> list[Search]:
    """What can be searched, in the order of the areas."""
    return [search.load() for area in registered() for search in area.searches]


def found(user: AbstractBaseUser, text: str, *, limit: int) -> list[Found]:
    """Everything that fits, by kind; empty for a text that is too short to say anything.

    Args:
        user: who looks.
        text: part of a name or description.
        limit: hits of each kind.
    """
    text = text.strip()[:CHARACTERS_MAX]
    if len(text) < CHARACTERS_MIN or "\0" in text:  # no database holds a NUL, and PostgreSQL refuses to look for one
        return []
    kinds = [(search, search.find(user, text, limit + 1)) for search in searches()]
    return [Found(search.label, search.icon, hits[:limit], len(hits) > limit) for search, hits in kinds if hits]
