"""Migrations of what JSON columns hold."""

from __future__ import annotations

from typing import Any

from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

_ROWS_AT_ONCE = 500


def rename_key(app: str, model: str, column: str, *, old: str, new: str) -> RunPython:
    """The operation that gives a key of a JSON column another name, at every depth; it can be reversed.

    Args:
        app: label of the Django app.
        model: name of its model.
        column: a JSONField; null and what is no object stay.
        old: the key until now.
        new: the key from now on.
    """

    def renaming(old: str, new: str) -> Any:
        def rename(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
            table = apps.get_model(app, model)
            rows = table.objects.using(editor.connection.alias).filter(**{f"{column}__isnull": False})
            for row in rows.only("pk", column).iterator(_ROWS_AT_ONCE):
                value = getattr(row, column)
                if (renamed := _renamed(value, old, new)) != value:
                    rows.filter(pk=row.pk).update(**{column: renamed})

        return rename

    return RunPython(renaming(old, new), renaming(new, old))


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {new if key == old else key: _renamed(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, old, new) for item in value]
    return value
