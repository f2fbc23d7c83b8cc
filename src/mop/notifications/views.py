"""Pages of notifications: the list, what one wants to be told, the bell."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise, may
from mop.notifications.alerts import close_alert
from mop.notifications.bell import TEMPLATE, bell_context
from mop.notifications.forms import PreferencesForm, ReadAllForm
from mop.notifications.selectors import (
    choices_of,
    get_notification,
    get_open_alert,
    notifications_for_list,
    open_alerts,
    unread_count,
)
from mop.notifications.services import mark_all_read, mark_read, set_preferences
from mop.ui.fragments import fragment
from mop.ui.pages import Done, sent, show_form
from mop.ui.paging import keyset_page

PAGE_ROWS = 25
UNREAD = "unread"


@require_GET
def notifications(request: HttpRequest) -> HttpResponse:
    """What the person was told, the newest first; for administrators the open alerts above."""
    user = user_of(request)
    only_unread = request.GET.get("show") == UNREAD
    cursor = request.GET.get("cursor", "")
    rows = notifications_for_list(user, unread=only_unread)
    page = keyset_page(rows, field="created_at", descending=True, cursor=cursor, size=PAGE_ROWS)
    operates = may(user, "notifications.operate")
    context = {
        "page": page,
        "only_unread": only_unread,
        "unread": unread_count(user),
        "newest": max((row.pk for row in page.rows), default=0),
        "alerts": open_alerts() if operates else [],
        "query": request.GET.urlencode(),
    }
    return render(request, "notifications/list.html", context)


@require_POST
def read(request: HttpRequest, notification_id: int) -> HttpResponse:
    """Mark one as read and lead back to its place in the list."""
    mark_read(notification=get_notification(user_of(request), notification_id))
    return _back(request, f"#notification-{notification_id}")


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark as read what the page showed and what is older; what came since stays unread."""
    user = user_of(request)
    form = ReadAllForm(request.POST)
    count = mark_all_read(user=user, up_to=form.cleaned_data["newest"]) if form.is_valid() else 0
    messages.success(
        request, "1 notification is marked as read." if count == 1 else f"{count} notifications are marked as read."
    )
    return _back(request)


@require_http_methods(["GET", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """What the person wants to be told, and where."""
    user = user_of(request)
    form = PreferencesForm(request.POST or None, user=user, choices=choices_of(user))

    def act() -> Done:
        set_preferences(actor=actor_in(request), user=user, email=form.cleaned_data["email"], wanted=form.wanted())
        return Done("Your notification settings are saved.", reverse("notifications:preferences"))

    trail = [("Notifications", reverse("notifications:list")), ("Settings", "")]
    return sent(request, form, act) or show_form(request, "notifications/settings.html", form, {"trail": trail})


@require_POST
def close(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Close an alert whose cause is fixed."""
    authorise(user_of(request), "notifications.operate", what="close alerts")
    close_alert(actor=actor_in(request), alert=get_open_alert(alert_id))
    messages.success(request, "The alert is closed. If its cause comes again, a new one opens.")
    return _back(request)


@require_GET
def live_bell(request: HttpRequest) -> HttpResponse:
    """The bell again, when the number changed."""
    context = bell_context(user_of(request), is_new=True)
    return fragment(request, context["live"].etag, lambda: render(request, TEMPLATE, context))


def _back(request: HttpRequest, anchor: str = "") -> HttpResponseRedirect:
    """To the list as it was shown: filter and page come back as they were sent, as one query string."""
    query = QueryDict(request.POST.get("query", "")).urlencode()
    return HttpResponseRedirect(f"{reverse('notifications:list')}{f'?{query}' if query else ''}{anchor}")
