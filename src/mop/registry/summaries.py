"""What a model's row tells of its versions, so that lists of many models need not look at versions.

It is written whenever a version comes, goes, changes its status (by `registry/advance.py`) or is published.
"""

from __future__ import annotations

from typing import Any

from django.db.models import DateTimeField, Exists, F, OuterRef, QuerySet, Subquery, UUIDField, Value
from django.db.models.functions import Coalesce, Greatest

from mop.registry.models import Model, Revision
from mop.registry.statuses import PublishStatus, RevisionStatus

HIDDEN_BY_DEFAULT = (RevisionStatus.OUTDATED.value, RevisionStatus.VERIFY_FAILED.value)


def refresh_summary(model_id: int) -> None:
    """Write what the model's versions say now. Call it in the transaction that changed one of them, after the change.

    The row is locked first, so that of two transactions the second sees what the first wrote. The order is versions,
    then their model; a lock that leaves the key alone does not wait for new versions that refer to it.
    """
    rows = Model.objects.filter(pk=model_id)
    list(rows.select_for_update(no_key=True).values_list("pk"))
    rows.update(**summary(Revision.objects.all()))


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
