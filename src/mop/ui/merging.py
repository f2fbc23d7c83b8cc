"""Lists that are put together from several querysets: one page of them, their rows, how many there are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL

from mop.ui.paging import beyond, cursor_text, read_cursor


@dataclass(frozen=True)
class Leg:
    """One part of a list: its rows, which no other part has, and the column of its order, which is never null."""

    rows: QuerySet[Any]
    field: str


@dataclass(frozen=True)
class KeyPage:
    """The primary keys of a page in order, each with the number of its leg, and whether there is more around it."""

    legs: dict[Any, int]
    has_previous: bool
    has_following: bool

    def cursors(self, first: Any, last: Any) -> tuple[str, str]:
        """The cursors of the pages before and after, from the values of the order in the first and last row."""
        keys = list(self.legs)
        return (
            cursor_text("before", first, keys[0]) if self.has_previous else "",
            cursor_text("after", last, keys[-1]) if self.has_following else "",
        )


def merged_page(legs: Sequence[Leg], *, descending: bool, cursor: str, size: int) -> KeyPage:
    """One page of several legs in one order, ties by primary key. One query.

    Each leg gives one page of rows at most, so it finds them along an index of its own column. The database orders
    what they have together: its order of text may differ from Python's.
    """
    place = read_cursor(cursor)
    backward = place is not None and place[0] == "before"
    falling = descending != backward  # reading backward turns the order round
    sign, direction = ("-", "DESC") if falling else ("", "ASC")
    pieces = []
    for leg in legs:
        rows = leg.rows
        if place is not None:
            try:
                rows = rows.filter(beyond(leg.field, "lt" if falling else "gt", place[1], place[2]))
            except (ValidationError, ValueError, TypeError, OverflowError):  # the cursor is of another sort, or made up
                return merged_page(legs, descending=descending, cursor="", size=size)
        ordered = rows.order_by(f"{sign}{leg.field}", f"{sign}pk")
        pieces.append(ordered.values_list("pk", F(leg.field))[: size + 1])
    found = united(pieces, f"ORDER BY 3 {direction}, 2 {direction} LIMIT {size + 1}")
    more = len(found) > size
    found = found[:size]
    if backward:
        found.reverse()
    return KeyPage(
        legs={key: leg for leg, key, _ in found},
        has_previous=bool(found) and (more if backward else place is not None),
        has_following=bool(found) and (backward or more),
    )


def united(querysets: Sequence[QuerySet[Any, Any]], ending: str = "") -> list[tuple[Any, ...]]:
    """The rows of several querysets of values, before each the number of its queryset. One query.

    Django itself cannot unite querysets that are ordered and cut on SQLite. Values come as the driver gives them.

    Args:
        querysets: with the same number of columns.
        ending: SQL for the whole, with columns by their numbers, from 2.
    """
    return _run([("t.*", "", queryset) for queryset in querysets], ending)


def id_list(ids: Iterable[int]) -> RawSQL:
    """Ids for `pk__in` as one parameter: Django takes milliseconds for a thousand, in each query that names them."""
    numbers = list(ids)
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [numbers])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(numbers)])


def counted(querysets: Sequence[QuerySet[Any, Any]]) -> list[dict[Any, int]]:
    """How many rows of each queryset have which value in its one column. One query; cut the querysets to bound it."""
    counts: list[dict[Any, int]] = [{} for _ in querysets]
    for number, value, count in _run([("t.*, COUNT(*)", "GROUP BY 2", queryset) for queryset in querysets], ""):
        counts[number][value] = count
    return counts


def _run(parts: Sequence[tuple[str, str, QuerySet[Any, Any]]], ending: str) -> list[tuple[Any, ...]]:
    pieces: list[str] = []
    parameters: list[Any] = []
    for number, (columns, grouping, queryset) in enumerate(parts):
        try:
            sql, given = queryset.query.sql_with_params()
        except EmptyResultSet:  # Django sees that there can be no row
            continue
        pieces.append(f"SELECT {number} AS part, {columns} FROM ({sql}) t {grouping}")  # noqa: S608 - Django's own SQL
        parameters += given
    if not pieces:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"{' UNION ALL '.join(pieces)} {ending}", parameters)
        return [tuple(row) for row in cursor.fetchall()]
