"""What the API takes and gives of notifications."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ninja import Schema
from pydantic import Field

from mop.accounts.schemas import InputSchema
from mop.accounts.services import EMAIL_MAX
from mop.notifications.email_states import EmailState
from mop.notifications.kinds import all_kinds
from mop.notifications.models import Email, Notification


def _list_kinds(schema: dict[str, Any]) -> None:
    """The kinds that the areas declare, known when the API is described."""
    schema["enum"] = [kind.value for kind in all_kinds()]


class EmailOut(Schema):
    """The e-mail of a notification; `error` says why it was not sent the last time."""

    state: EmailState
    sent_at: dt.datetime | None
    error: str


class NotificationOut(Schema):
    """What the caller was told; `link` is a path in the portal, `email` null where none was asked for."""

    id: int
    kind: str = Field(json_schema_extra=_list_kinds)
    title: str
    reason: str
    hint: str
    link: str
    created_at: dt.datetime
    read_at: dt.datetime | None
    email: EmailOut | None

    @staticmethod
    def resolve_email(notification: Notification) -> Email | None:
        """The e-mail, if there is one."""
        return getattr(notification, "email", None)


class NotificationPage(Schema):
    """One page, newest first; `next` is the cursor of the page after, `unread` counts all that is unread."""

    items: list[NotificationOut]
    next: str | None
    unread: int


class ReadAllIn(InputSchema):
    """The newest notification that was seen; what came later stays unread."""

    up_to: int = Field(ge=0, le=2**63 - 1)


class ReadAllOut(Schema):
    """How many became read."""

    marked: int


class WantedIn(InputSchema):
    """Whether to be told of a kind, and where."""

    kind: str = Field(json_schema_extra=_list_kinds)
    in_portal: bool
    by_email: bool


class WantedOut(Schema):
    """Whether the caller is told of a kind, and where; `label` says what it is."""

    kind: str = Field(json_schema_extra=_list_kinds)
    label: str
    in_portal: bool
    by_email: bool


class SettingsOut(Schema):
    """Where the caller's e-mails go, and what they are told."""

    email: str
    kinds: list[WantedOut]


class SettingsPatch(InputSchema):
    """What changes; what is left out stays."""

    email: str | None = Field(default=None, max_length=EMAIL_MAX, description="empty: no e-mail is sent")
    kinds: list[WantedIn] = Field(default=[], max_length=100)


class AlertOut(Schema):
    """Something that the operator must fix; `count` is how often it came."""

    id: int
    fault: str
    title: str
    message: str
    hint: str
    count: int
    first_at: dt.datetime
    last_at: dt.datetime
