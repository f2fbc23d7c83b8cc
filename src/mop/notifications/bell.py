"""The bell in the header of every page: how many notifications are unread."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from mop.accounts.models import User
from mop.notifications.selectors import unread_count
from mop.ui.fragments import etag_of

TEMPLATE = "notifications/components/bell.html"


def bell(_request: HttpRequest, user: User) -> SafeString:
    """The bell as it stands in a page."""
    return render_to_string(TEMPLATE, bell_context(user))


def bell_context(user: User) -> dict[str, Any]:
    """The number and its ETag."""
    unread = unread_count(user)
    return {"unread": unread, "etag": etag_of([user.pk, unread])}
