"""API of the audit log."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from mop.accounts.access import caller_of
from mop.accounts.listing import list_page
from mop.accounts.rules import authorise
from mop.history.export import row_of
from mop.history.selectors import EventFilter, events

router = Router(tags=["audit"])


class AuditEventOut(Schema):
    """Who did what to which object, when, from where."""

    id: int
    at: dt.datetime
    actor_id: str
    actor: str
    address: str
    action: str = Field(examples=["model.created"])
    object_type: str
    object_id: str
    object: str
    data: dict[str, Any]


class EventsOut(Schema):
    """A page of events, the newest first."""

    items: list[AuditEventOut]
    next: str | None


@router.get("/audit", response=EventsOut)
def list_events(
    request: HttpRequest,
    *,
    person: Annotated[str, Query(max_length=150)] = "",
    action: Annotated[str, Query(max_length=64)] = "",
    object_type: Annotated[str, Query(max_length=64)] = "",
    object_id: Annotated[str, Query(max_length=64)] = "",
    object_label: Annotated[str, Query(max_length=150)] = "",
    since: dt.date | None = None,
    until: dt.date | None = None,
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> dict[str, Any]:
    """The audit log, for administrators."""
    authorise(caller_of(request).user, "history.view_all", what="read the audit log")
    chosen = EventFilter(
        person=person.replace("\0", ""),
        action=action.replace("\0", ""),
        object_type=object_type.replace("\0", ""),
        object_id=object_id.replace("\0", ""),
        object_label=object_label.replace("\0", ""),
        since=since,
        until=until,
    )
    page = list_page(events(chosen), field="id", descending=True, cursor=cursor, limit=limit)
    return {**page, "items": [row_of(event) for event in page["items"]]}
