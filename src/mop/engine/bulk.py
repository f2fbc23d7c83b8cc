"""Many rows at once, past what the ORM does for each.

For a row that it makes and inserts it takes some twenty microseconds, for a number that it looks for two.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.expressions import RawSQL


def insert_rows(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of values that are prepared as the database takes them. Call it in a transaction.

    Args:
        table: of a model.
        columns: of that table; every other column must have a default in the database.
        rows: the values, in the order of the columns.
    """
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608 - names of models


def each_of(numbers: Iterable[int]) -> RawSQL:
    """Numbers as one parameter of a query, for a lookup `in`."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(numbers)])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(numbers))])


def renew_statistics(*models: type[Model]) -> None:
    """Let the database look at tables that grew much at once.

    PostgreSQL does so by itself a minute later at best. Until then it takes a table for as small as it was, and sorts
    all of it for a page of a list.
    """
    if connection.vendor != "postgresql":
        return
    tables = ", ".join(f'"{model._meta.db_table}"' for model in models)  # noqa: SLF001 - documented name
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {tables}")
