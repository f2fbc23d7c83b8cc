"""What a model's row tells of its versions, so that lists of many models need not look at versions.

It is written whenever a version comes, goes, changes its status (by `registry/advance.py`) or is published.
"""

from __future__ import annotations

import functools
from typing import Any, cast

from django.db import connection, connections
from django.db.models import DateTimeField, Exists, F, OuterRef, QuerySet, Subquery, UUIDField, Value
from django.db.models.functions import Coalesce, Greatest
from django.db.models.sql import UpdateQuery

from mop.registry.models import Model, Revision
from mop.registry.statuses import PublishStatus, RevisionStatus

HIDDEN_BY_DEFAULT = (RevisionStatus.OUTDATED.value, RevisionStatus.VERIFY_FAILED.value)
_ANY_KEY = -1
"""Stands for a model's key in a statement that is for all of them."""


def refresh_summary(model_id: int) -> None:
    """Write what the model's versions say now. Call it in the transaction that changed one of them, after the change.

    The row is locked first, so that of two transactions the second sees what the first wrote. The order is versions,
    then their model; a lock that leaves the key alone does not wait for new versions that refer to it.
    """
    list(Model.objects.select_for_update(no_key=True).filter(pk=model_id).values_list("pk"))
    sql, values = _update(connection.alias, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, (*values, model_id))


@functools.cache
def _update(alias: str, _vendor: str) -> tuple[str, tuple[Any, ...]]:
    """The statement that writes a model's summary, and its values but the last one, which is the model's key.

    It is the same for every model. To make it from its twelve subqueries takes ten times as long as to run it, in every
    change of a version's status.
    """
    query = cast("UpdateQuery", Model.objects.filter(pk=_ANY_KEY).query.chain(UpdateQuery))
    query.add_update_values(summary(Revision.objects.all()))
    sql, values = query.get_compiler(connection=connections[alias]).as_sql()
    if values[-1] != _ANY_KEY or values.count(_ANY_KEY) != 1:
        raise AssertionError("the model's key is the last value of the statement, and stands there once")
    return sql, values[:-1]


def summary(revisions: QuerySet[Any]) -> dict[str, Any]:
    """The columns of a model's summary, as expressions over its row."""
    public = revisions.filter(publish_status=PublishStatus.PUBLIC.value)
    return {
        "is_public": Exists(public.filter(model=OuterRef("pk"))),
        **_summary_of(revisions, "all_"),
        **_summary_of(public, "public_"),
    }


def _summary_of(revisions: QuerySet[Any], prefix: str) -> dict[str, Any]:
    own = revisions.filter(model=OuterRef("pk"))
    newest = own.order_by("-created_at", "-id")
    usable = newest.filter(status=RevisionStatus.VERIFIED.value)
    changed = Greatest("status_changed_at", Coalesce("publish_changed_at", "status_changed_at"))
    last_change = own.annotate(changed=changed).order_by("-changed").values("changed")[:1]
    return {
        f"{prefix}newest_id": Subquery(newest.values("id")[:1], output_field=UUIDField()),
        f"{prefix}newest_version": _text(newest, "version"),
        f"{prefix}newest_status": Coalesce(Subquery(newest.values("status")[:1]), Value(RevisionStatus.CREATED.value)),
        f"{prefix}usable_version": _text(usable, "version"),
        f"{prefix}is_living": Exists(own.exclude(status__in=HIDDEN_BY_DEFAULT)),
        f"{prefix}updated_at": Coalesce(
            Subquery(last_change, output_field=DateTimeField()), F("created_at"), output_field=DateTimeField()
        ),
    }


def _text(revisions: QuerySet[Any], column: str) -> Any:
    return Coalesce(Subquery(revisions.values(column)[:1]), Value(""))
