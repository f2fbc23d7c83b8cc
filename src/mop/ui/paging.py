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
    place = _read(cursor)
    backward = place is not None and place[0] == "before"
    falling = descending != backward  # reading backward turns the order round
    if place is not None:
        _, value, key = place
        operator = "lt" if falling else "gt"
        beyond = Q(**{f"{field}__{operator}": value}) | Q(**{field: value, f"pk__{operator}": key})
        try:
            queryset = queryset.filter(beyond)
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


def _write(side: str, row: Model, field: str) -> str:
    value: Any = row
    for part in field.split("__"):
        value = getattr(value, part)
    text = json.dumps([side, value, row.pk], default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[str, Any, Any] | None:
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
