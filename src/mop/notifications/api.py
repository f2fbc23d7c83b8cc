"""API of the caller's notifications, and of alerts for administrators."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from mop.accounts.access import caller_of
from mop.accounts.listing import list_page
from mop.accounts.models import User
from mop.accounts.rules import authorise
from mop.errors import ValidationFailedError
from mop.notifications.alerts import close_alert
from mop.notifications.models import Alert, Notification
from mop.notifications.schemas import (
    AlertOut,
    NotificationOut,
    NotificationPage,
    ReadAllIn,
    ReadAllOut,
    SettingsOut,
    SettingsPatch,
    WantedOut,
)
from mop.notifications.selectors import (
    choices_of,
    get_notification,
    get_open_alert,
    kinds_for,
    notifications_for_list,
    open_alerts,
    unread_count,
)
from mop.notifications.services import mark_all_read, mark_read, set_preferences

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


@router.get("/notifications/settings", response=SettingsOut)
def get_settings(request: HttpRequest) -> SettingsOut:
    """Where the caller's e-mails go, and which kinds they are told of."""
    return _settings(caller_of(request).user)


@router.patch("/notifications/settings", response=SettingsOut)
def patch_settings(request: HttpRequest, body: SettingsPatch) -> SettingsOut:
    """Change the caller's e-mail address, and which kinds they are told of."""
    caller = caller_of(request)
    known = {kind.value: kind for kind in kinds_for(caller.user)}
    if unknown := sorted({one.kind for one in body.kinds} - set(known)):
        message = f"There is no kind {', '.join(map(repr, unknown))}. The kinds are {', '.join(known)}."
        raise ValidationFailedError(f"kinds: {message}", fields={"kinds": [message]})
    set_preferences(
        actor=caller.actor,
        user=caller.user,
        email=caller.user.email if body.email is None else body.email,
        wanted={known[one.kind]: (one.in_portal, one.by_email) for one in body.kinds},
    )
    return _settings(caller.user)


@router.get("/alerts", response=list[AlertOut])
def list_alerts(request: HttpRequest) -> list[Alert]:
    """What the operator must fix, the latest first. Administrators only."""
    authorise(caller_of(request).user, "notifications.operate", what="read alerts")
    return list(open_alerts())


@router.post("/alerts/{alert_id}/close", response={204: None})
def end_alert(request: HttpRequest, alert_id: int) -> Status[None]:
    """Close an alert whose cause is fixed; if it comes again, a new one opens. Administrators only."""
    caller = caller_of(request)
    authorise(caller.user, "notifications.operate", what="close alerts")
    close_alert(actor=caller.actor, alert=get_open_alert(alert_id))
    return Status(204, None)


def _settings(user: User) -> SettingsOut:
    kinds = [
        WantedOut(kind=kind.value, label=kind.label, in_portal=wanted.in_portal, by_email=wanted.by_email)
        for kind, wanted in choices_of(user).items()
    ]
    return SettingsOut(email=user.email, kinds=kinds)
