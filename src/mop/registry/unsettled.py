"""Which revisions areas work on, so that their status may change though their pipeline is done."""

from __future__ import annotations

import operator
import uuid
from collections.abc import Iterable
from functools import reduce

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Value

from mop.areas.registry import registered
from mop.registry.models import Model, Revision


def with_work(revisions: QuerySet[Revision]) -> QuerySet[Revision]:
    """The revisions, each with `is_worked_on`: read in the same moment as its status, and without a query more."""
    found = [Q(pk__in=ids) for ids in _worked_on()]
    either = ExpressionWrapper(reduce(operator.or_, found), BooleanField()) if found else Value(value=False)
    return revisions.annotate(is_worked_on=either)


def with_work_on_newest(models: QuerySet[Model]) -> QuerySet[Model]:
    """The models, each with `all_worked_on` and `public_worked_on`: whether its newest version of either sight is."""
    found = list(_worked_on())
    return models.annotate(
        **{
            f"{sight}worked_on": ExpressionWrapper(
                reduce(operator.or_, [Q(**{f"{sight}newest_id__in": ids}) for ids in found]), BooleanField()
            )
            if found
            else Value(value=False)
            for sight in ("all_", "public_")
        }
    )


def is_worked_on(revision: Revision) -> bool:
    """Whether an area works on a revision that `with_work` read."""
    return bool(getattr(revision, "is_worked_on"))  # noqa: B009 - annotated


def _worked_on() -> list[Iterable[uuid.UUID]]:
    return [work.load()() for area in registered() for work in area.work_on_revisions]
