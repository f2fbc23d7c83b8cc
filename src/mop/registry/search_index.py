"""The index behind the search for a part of a model's name or description: trigrams, on either database.

SQLite: a table of FTS5 beside the models, kept by triggers. PostgreSQL: two indexes of pg_trgm. Where they cannot be
made (SQLite without FTS5, PostgreSQL without the right to create the extension) the search reads every model.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from mop.registry.models import Model

logger = logging.getLogger(__name__)

TABLE = "registry_model_search"
TRIGRAM = 3
_NEW, _OLD = (f"{row}.id, {row}.name, {row}.description" for row in ("new", "old"))
_ADD = f"INSERT INTO {TABLE}(rowid, name, description) VALUES ({_NEW});"  # noqa: S608 - own names
_REMOVE = f"INSERT INTO {TABLE}({TABLE}, rowid, name, description) VALUES ('delete', {_OLD});"  # noqa: S608 - as above
_TRIGGERS = {
    f"{TABLE}_added": f"AFTER INSERT ON registry_model BEGIN {_ADD} END",
    f"{TABLE}_removed": f"AFTER DELETE ON registry_model BEGIN {_REMOVE} END",
    f"{TABLE}_changed": f"AFTER UPDATE OF name, description ON registry_model BEGIN {_REMOVE} {_ADD} END",
}
_INDEXES = ("name", "description")


def ensure_search_index(**_signal: Any) -> None:
    """Make what is missing. It runs after every migration: SQLite drops triggers when Django makes a table anew."""
    if "registry_model" not in connection.introspection.table_names():
        return
    try:
        with transaction.atomic():
            _ensure_on_postgresql() if connection.vendor == "postgresql" else _ensure_on_sqlite()
    except DatabaseError as error:
        logger.warning("The search of models has no index and reads every model: %s", error)
    has_index.cache_clear()


@functools.cache
def has_index() -> bool:
    """Whether this installation has the index."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname = ANY(%s)", [_index_names()])
            return bool(cursor.fetchone()[0] == len(_INDEXES))
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = %s", [TABLE])
        return bool(cursor.fetchone()[0])


def matching(text: str, limit: int) -> tuple[QuerySet[Model, Any], Q]:
    """Models whose name or description holds a text: their ids, by the index if there is one; the filter for a row.

    Args:
        text: in any case.
        limit: how many ids are asked for, at most.
    """
    text = text.replace("\0", "")
    anywhere = Q(name__icontains=text) | Q(description__icontains=text)
    ids = Model.objects.filter(anywhere)
    if connection.vendor == "sqlite" and len(text) >= TRIGRAM and has_index():
        matches = f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s LIMIT {limit:d}"  # noqa: S608 - own name
        ids = Model.objects.filter(pk__in=RawSQL(matches, [_phrase(text)]))  # noqa: S611 - with a parameter
    return ids.values_list("pk"), anywhere


def _phrase(text: str) -> str:
    """A text as one phrase of FTS5's language."""
    return '"' + text.replace('"', '""') + '"'


def _ensure_on_sqlite() -> None:
    names = [TABLE, *_TRIGGERS]
    with connection.cursor() as cursor:
        places = ", ".join(["%s"] * len(names))
        cursor.execute(f"SELECT name FROM sqlite_master WHERE name IN ({places})", names)  # noqa: S608 - own names
        found = {row[0] for row in cursor.fetchall()}
        if found == set(names):
            return
        if TABLE not in found:
            cursor.execute(
                f"CREATE VIRTUAL TABLE {TABLE} USING fts5(name, description, content='registry_model', "
                "content_rowid='id', tokenize='trigram')"
            )
        for name, body in _TRIGGERS.items():
            if name not in found:
                cursor.execute(f"CREATE TRIGGER {name} {body}")
        cursor.execute(f"INSERT INTO {TABLE}({TABLE}) VALUES ('rebuild')")  # noqa: S608 - own name


def _ensure_on_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname = ANY(%s)", [_index_names()])
        found = {row[0] for row in cursor.fetchall()}
        if len(found) == len(_INDEXES):
            return
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        for column, name in zip(_INDEXES, _index_names(), strict=True):
            if name not in found:
                cursor.execute(f"CREATE INDEX {name} ON registry_model USING gin (UPPER({column}) gin_trgm_ops)")


def _index_names() -> list[str]:
    return [f"{TABLE}_{column}" for column in _INDEXES]
