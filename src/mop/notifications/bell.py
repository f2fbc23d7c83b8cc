"""The bell in the header of every page: how many notifications are unread."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from mop.accounts.models import User
from mop.notifications.selectors import unread_count
from mop.ui.fragments import Live

TEMPLATE = "notifications/components/bell.html"


def bell(_request: HttpRequest, user: User) -> SafeString:
    """The bell as it stands in a page."""
    return render_to_string(TEMPLATE, bell_context(user, is_new=False))


def bell_context(user: User, *, is_new: bool) -> dict[str, Any]:
    """The number, which is asked for on every page for ever; a new one is said aloud."""
    unread = unread_count(user)
    live = Live(
        id="bell",
        url=reverse("notifications:live_bell"),
        seconds=20,
        is_final=False,
        state=[user.pk, unread],
        announce=f"{unread} unread notification{'s' if unread > 1 else ''}" if is_new and unread else "",
    )
    return {"unread": unread, "live": live}
