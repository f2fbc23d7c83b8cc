"""API of the caller's notifications."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router

from mop.accounts.access import caller_of
from mop.accounts.listing import list_page
from mop.notifications.models import Notification
from mop.notifications.schemas import NotificationOut, NotificationPage, ReadAllIn, ReadAllOut
from mop.notifications.selectors import get_notification, notifications_for_list, unread_count
from mop.notifications.services import mark_all_read, mark_read

router = Router(tags=["notifications"])


@router.get("/notifications", response=NotificationPage)
def list_notifications(
    request: HttpRequest,
    unread: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    cursor: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """What the caller was told, newest first, about what they may still see; with `unread` only what is unread."""
    user = caller_of(request).user
    rows = notifications_for_list(user, unread=unread)
    page = list_page(rows, field="created_at", descending=True, cursor=cursor, limit=limit)
    return page | {"unread": unread_count(user)}


@router.post("/notifications/{notification_id}/read", response=NotificationOut)
def read_one(request: HttpRequest, notification_id: int) -> Notification:
    """Mark one of the caller's notifications as read."""
    notification = get_notification(caller_of(request).user, notification_id)
    mark_read(notification=notification)
    return notification


@router.post("/notifications/read", response=ReadAllOut)
def read_all(request: HttpRequest, body: ReadAllIn) -> ReadAllOut:
    """Mark everything as read that the caller was told up to one notification."""
    return ReadAllOut(marked=mark_all_read(user=caller_of(request).user, up_to=body.up_to))
