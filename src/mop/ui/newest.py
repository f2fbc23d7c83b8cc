"""The newest rows of several kinds, in one query."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Case, F, Model, Q, QuerySet, SmallIntegerField, Value, When, Window
from django.db.models.expressions import Combinable
from django.db.models.functions import RowNumber

Row = TypeVar("Row", bound=Model)


def newest_of_kinds(rows: QuerySet[Row], kinds: Sequence[Q], *, by: str | Combinable, most: int) -> list[Row]:
    """Of each kind the newest rows, kind by kind. One query.

    Args:
        rows: of all kinds.
        kinds: what a row of each kind fulfils; a row is of the first that it does.
        by: the time, a column or an expression; ties by primary key.
        most: rows of one kind.
    """
    moment = F(by) if isinstance(by, str) else by
    of_kinds: Any = rows.filter(functools.reduce(operator.or_, kinds)).annotate(
        of_kind=Case(
            *(When(one, then=Value(number)) for number, one in enumerate(kinds)), output_field=SmallIntegerField()
        ),
        moment=moment,
    )
    numbered = of_kinds.annotate(
        place_in_kind=Window(RowNumber(), partition_by=[F("of_kind")], order_by=[F("moment").desc(), F("pk").desc()])
    )
    return list(numbered.filter(place_in_kind__lte=most).order_by("of_kind", "place_in_kind"))


def kind_of(row: Model) -> int:
    """The number of the kind for which `newest_of_kinds` gave a row."""
    return int(getattr(row, "of_kind"))  # noqa: B009 - annotated
