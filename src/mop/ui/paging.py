"""Keyset paging: a page is found by the place of its first row, never by counting rows before it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from django.core.exceptions import ValidationError
from django.db.models import F, Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
_FIELDS_IN_CURSOR = 3
_SIDES = ("before", "after")


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
        except (ValidationError, ValueError, TypeError, OverflowError):  # the cursor is of another sort, or made up
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


@dataclass(frozen=True)
class Key:
    """One key of an order of several: a field, or an annotation; where it is null, the row comes last."""

    field: str
    descending: bool = False

    def order(self, *, turned: bool) -> Any:
        """Of this key in the order, or in the order turned round."""
        falling = self.descending != turned
        if turned:
            return F(self.field).desc(nulls_first=True) if falling else F(self.field).asc(nulls_first=True)
        return F(self.field).desc(nulls_last=True) if falling else F(self.field).asc(nulls_last=True)

    def same(self, value: Any) -> Q:
        """Rows with this value."""
        return Q(**{f"{self.field}__isnull": True}) if value is None else Q(**{self.field: value})

    def further(self, value: Any, *, turned: bool) -> Q | None:
        """Rows that come after this value; None where there can be none."""
        absent = {f"{self.field}__isnull": True}
        if value is None:
            return ~Q(**absent) if turned else None
        falling = self.descending != turned
        found = Q(**{f"{self.field}__{'lt' if falling else 'gt'}": value})
        return found if turned else found | Q(**absent)


def keyset_page_of(queryset: QuerySet[Row], keys: Sequence[Key], *, cursor: str, size: int) -> Page[Row]:
    """One page in an order of several keys. One query.

    Args:
        queryset: the rows, in any order.
        keys: the order; the last one tells any two rows apart.
        cursor: `previous` or `following` of another page; empty or unreadable gives the first page.
        size: rows on a page.
    """
    place = _read_keys(cursor, len(keys))
    turned = place is not None and place[0] == "before"
    if place is not None:
        try:
            queryset = queryset.filter(_beyond_keys(keys, place[1], turned=turned))
        except (ValidationError, ValueError, TypeError, OverflowError):  # the cursor is of another sort, or made up
            return keyset_page_of(queryset, keys, cursor="", size=size)
    rows = list(queryset.order_by(*(key.order(turned=turned) for key in keys))[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    if turned:
        rows.reverse()
    if not rows:
        return Page(rows=[], previous="", following="")
    has_previous = more if turned else place is not None
    has_following = turned or more
    return Page(
        rows=rows,
        previous=_write_keys("before", rows[0], keys) if has_previous else "",
        following=_write_keys("after", rows[-1], keys) if has_following else "",
    )


def _beyond_keys(keys: Sequence[Key], values: Sequence[Any], *, turned: bool) -> Q:
    found, before = Q(pk__in=[]), Q()
    for key, value in zip(keys, values, strict=True):
        if (further := key.further(value, turned=turned)) is not None:
            found |= before & further
        before &= key.same(value)
    return found


def _write_keys(side: str, row: Model, keys: Sequence[Key]) -> str:
    text = json.dumps([side, [_value(row, key.field) for key in keys]], default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_keys(cursor: str, count: int) -> tuple[str, list[Any]] | None:
    parts = _decoded(cursor)
    if not isinstance(parts, list) or len(parts) != 2 or parts[0] not in _SIDES:  # noqa: PLR2004 - side and values
        return None
    side, values = parts
    if isinstance(values, list) and len(values) == count and all(value is None or _is_plain(value) for value in values):
        return side, values
    return None


def _value(row: Model, field: str) -> Any:
    value: Any = row
    for part in field.split("__"):
        value = getattr(value, part)
    return value


def beyond(field: str, operator: str, value: Any, key: Any) -> Q:
    """What lies beyond a place: `operator` is lt or gt."""
    further = Q(**{f"{field}__{operator}": value}) | Q(**{field: value, f"pk__{operator}": key})
    # says nothing new, but lets the database begin at the place instead of reading everything before it
    return Q(**{f"{field}__{operator}e": value}) & further


def _write(side: str, row: Model, field: str) -> str:
    return cursor_text(side, _value(row, field), row.pk)


def cursor_text(side: str, value: Any, key: Any) -> str:
    """The cursor of what lies `before` or `after` a place."""
    text = json.dumps([side, value, key], default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[str, Any, Any] | None:
    """Side, value and key of a cursor; None for an empty or unreadable one."""
    parts = _decoded(cursor)
    if not isinstance(parts, list) or len(parts) != _FIELDS_IN_CURSOR or parts[0] not in _SIDES:
        return None
    return (parts[0], parts[1], parts[2]) if all(map(_is_plain, parts[1:])) else None


def _decoded(cursor: str) -> Any:
    """What a cursor holds; None for an empty or unreadable one.

    orjson refuses what people can make up and a database or Python's own reader does not take: unpaired surrogates,
    Infinity, and nesting without end.
    """
    try:
        return orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        return None


def _is_plain(value: Any) -> bool:
    """Whether a database can compare with it: PostgreSQL takes no NUL in a text."""
    return isinstance(value, int | float) or (isinstance(value, str) and "\0" not in value)
