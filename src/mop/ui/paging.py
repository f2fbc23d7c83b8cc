"""Keyset paging: a page is found by the place of its first row, never by counting rows before it."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
_FIELDS_IN_CURSOR = 3


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows of a list, and the cursors of the pages around them; empty where there is none."""

    rows: list[Row]
    previous: str
    following: str


def keyset_page(queryset: QuerySet[Row], *, field: str, descending: bool, cursor: str, size: int) -> Page[Row]:
    """One page in the order of `field`, ties by primary key. One query.

    Args:
        queryset: the rows, in any order.
        field: a field, or an annotation, that is never null.
        descending: largest first.
        cursor: `previous` or `following` of another page; empty or unreadable gives the first page.
        size: rows on a page.
    """
    place = read_cursor(cursor)
    backward = place is not None and place[0] == "before"
    falling = descending != backward  # reading backward turns the order round
    if place is not None:
        _, value, key = place
        operator = "lt" if falling else "gt"
        try:
            queryset = queryset.filter(beyond(field, operator, value, key))
        except (ValidationError, ValueError, TypeError):  # the cursor is of another sort, or made up
            return keyset_page(queryset, field=field, descending=descending, cursor="", size=size)
    sign = "-" if falling else ""
    rows = list(queryset.order_by(f"{sign}{field}", f"{sign}pk")[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    if backward:
        rows.reverse()
    if not rows:
        return Page(rows=[], previous="", following="")
    has_previous = more if backward else place is not None
    has_following = backward or more
    return Page(
        rows=rows,
        previous=_write("before", rows[0], field) if has_previous else "",
        following=_write("after", rows[-1], field) if has_following else "",
    )


def beyond(field: str, operator: str, value: Any, key: Any) -> Q:
    """What lies beyond a place: `operator` is lt or gt."""
    further = Q(**{f"{field}__{operator}": value}) | Q(**{field: value, f"pk__{operator}": key})
    # says nothing new, but lets the database begin at the place instead of reading everything before it
    return Q(**{f"{field}__{operator}e": value}) & further


def _write(side: str, row: Model, field: str) -> str:
    value: Any = row
    for part in field.split("__"):
        value = getattr(value, part)
    return cursor_text(side, value, row.pk)


def cursor_text(side: str, value: Any, key: Any) -> str:
    """The cursor of what lies `before` or `after` a place."""
    text = json.dumps([side, value, key], default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[str, Any, Any] | None:
    """Side, value and key of a cursor; None for an empty or unreadable one."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        return None
    is_place = (
        isinstance(parts, list)
        and len(parts) == _FIELDS_IN_CURSOR
        and parts[0] in {"before", "after"}
        and all(isinstance(part, str | int | float) for part in parts[1:])
    )
    return (parts[0], parts[1], parts[2]) if is_place else None
