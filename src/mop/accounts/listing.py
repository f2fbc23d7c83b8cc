"""One page of an API list."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from mop.errors import ValidationFailedError
from mop.ui.paging import keyset_page

Row = TypeVar("Row", bound=Model)


def list_page(rows: QuerySet[Row], *, field: str, descending: bool, cursor: str, limit: int) -> dict[str, Any]:
    """`items` and `next`, the cursor of the page after (None on the last). A fixed number of queries.

    Raises:
        ValidationFailedError: the cursor is not one that this list gave.
    """
    try:
        page = keyset_page(rows, field=field, descending=descending, cursor=cursor, size=limit)
    except (ValidationError, ValueError, TypeError, OverflowError) as error:
        raise not_a_cursor() from error
    if cursor and page.rows and not page.previous:  # an unreadable cursor shows the first page: a script would loop
        raise not_a_cursor()
    return {"items": page.rows, "next": page.following or None}


def not_a_cursor() -> ValidationFailedError:
    """What a caller is told whose cursor does not belong to the list."""
    message = "This is no cursor of this list; use `next` of the page before."
    return ValidationFailedError(f"cursor: {message}", fields={"cursor": [message]})
