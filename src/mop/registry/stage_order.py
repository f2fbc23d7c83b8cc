"""The order of a revision's stages where they start by themselves, and not only when the pipeline calls them."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Q, QuerySet

from mop.areas.registry import registered
from mop.areas.work import StagePosition

Revisions = TypeVar("Revisions", bound=QuerySet[Any, Any])


def ready_for(position: StagePosition, revisions: Revisions) -> Revisions:
    """Of these revisions, those that no earlier stage is still busy with. Becomes part of the query."""
    for area in registered():
        for stage in area.stages:
            if stage.unfinished is not None and stage.position < position:
                revisions = revisions.exclude(pk__in=stage.unfinished.load()())
    return revisions


def held_by_earlier(position: StagePosition, revisions: Revisions) -> Revisions:
    """Of these revisions, those that an earlier stage is still busy with. Becomes part of the query."""
    is_held = Q(pk__in=[])
    for area in registered():
        for stage in area.stages:
            if stage.unfinished is not None and stage.position < position:
                is_held |= Q(pk__in=stage.unfinished.load()())
    return revisions.filter(is_held)
