"""Pages of webhooks: the list, one with its log, and what one does with them."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.errors import ConflictError, ValidationFailedError
from mop.notifications.kinds import all_kinds
from mop.notifications.models import Webhook
from mop.notifications.webhook_forms import NewWebhookForm, WebhookForm
from mop.notifications.webhook_selectors import deliveries_of, get_delivery, get_webhook, visible_webhooks
from mop.notifications.webhooks import (
    change_webhook,
    create_webhook,
    delete_webhook,
    enable_webhook,
    replay,
    rotate_secret,
    send_test,
)
from mop.ui.forms import take_errors
from mop.ui.pages import Done, confirm_page, sent, show_form
from mop.ui.paging import keyset_page

PAGE_ROWS = 25


@require_GET
def webhooks(request: HttpRequest) -> HttpResponse:
    """The person's webhooks and those of their teams."""
    rows = visible_webhooks(user_of(request))
    return render(request, "notifications/webhooks.html", {"webhooks": rows, "hosts": settings.MOP_WEBHOOK_HOSTS})


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """A form for a new webhook. The answer shows the secret itself: it is kept nowhere, not even in the session."""
    user = user_of(request)
    form = NewWebhookForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            webhook, secret = create_webhook(
                actor=actor_in(request),
                user=user,
                team=given["team"],
                url=given["url"],
                description=given["description"],
                kinds=form.wanted(),
            )
        except ValidationFailedError as error:
            take_errors(form, error)
        else:
            return _show(request, webhook, secret=secret)
    context = {
        "title": "Add a webhook",
        "trail": [_list(), ("Add", "")],
        "submit": "Add webhook",
        "cancel_url": reverse("notifications:webhooks"),
    }
    return show_form(request, "notifications/webhook_form.html", form, context)


@require_GET
def webhook(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """A webhook and its log."""
    return _show(request, get_webhook(user_of(request), webhook_id))


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Url, description and kinds."""
    user = user_of(request)
    found = get_webhook(user, webhook_id)
    form = WebhookForm(request.POST or None, user=user, webhook=found)
    here = reverse("notifications:webhook", args=[found.pk])

    def act() -> Done:
        kinds = form.wanted()
        change_webhook(
            actor=actor_in(request),
            webhook=found,
            user=user,
            url=form.cleaned_data["url"],
            description=form.cleaned_data["description"],
            kinds=kinds,
            every_kind=kinds is None,
        )
        return Done("The webhook is changed.", here)

    context = {
        "title": f"Edit {found}",
        "trail": [_list(), (str(found), here), ("Edit", "")],
        "submit": "Save",
        "cancel_url": here,
    }
    return sent(request, form, act) or show_form(request, "notifications/webhook_form.html", form, context)


@require_POST
def rotate(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """A new secret, which the answer shows once."""
    user = user_of(request)
    found = get_webhook(user, webhook_id)
    secret = rotate_secret(actor=actor_in(request), webhook=found, user=user)
    return _show(request, found, secret=secret)


@require_POST
def test(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Send a test message."""
    found = get_webhook(user_of(request), webhook_id)
    try:
        send_test(webhook=found)
    except ConflictError as error:
        messages.error(request, f"{error.message} {error.hint}")
    else:
        messages.success(
            request, "A test message is being sent. Load this page again in a few seconds to see whether it arrived."
        )
    return redirect("notifications:webhook", webhook_id=found.pk)


@require_POST
def enable(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Switch on what was switched off."""
    found = get_webhook(user_of(request), webhook_id)
    enable_webhook(actor=actor_in(request), webhook=found)
    messages.success(request, "The webhook is on. You can replay the messages that it missed.")
    return redirect("notifications:webhook", webhook_id=found.pk)


@require_POST
def replay_one(request: HttpRequest, webhook_id: int, delivery_id: int) -> HttpResponse:
    """Send a message again."""
    user = user_of(request)
    found = get_webhook(user, webhook_id)
    try:
        replay(actor=actor_in(request), delivery=get_delivery(found, user, delivery_id))
    except ConflictError as error:
        messages.error(request, f"{error.message} {error.hint}")
    else:
        messages.success(request, "The message is sent again, under the same id.")
    return redirect("notifications:webhook", webhook_id=found.pk)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Ask, then delete a webhook with its log."""
    found = get_webhook(user_of(request), webhook_id)
    here = reverse("notifications:webhook", args=[found.pk])

    def act() -> Done:
        delete_webhook(actor=actor_in(request), webhook=found)
        return Done("The webhook is deleted.", reverse("notifications:webhooks"))

    return confirm_page(
        request,
        act,
        title=f"Delete the webhook {found}?",
        trail=[_list(), (str(found), here), ("Delete", "")],
        lead="Nothing more is sent to it, and its log goes. This cannot be undone.",
        submit="Delete webhook",
        cancel_url=here,
    )


def _show(request: HttpRequest, found: Webhook, *, secret: str = "") -> HttpResponse:
    rows = deliveries_of(found, user_of(request))
    page = keyset_page(rows, field="created_at", descending=True, cursor=request.GET.get("cursor", ""), size=PAGE_ROWS)
    labels = {kind.value: kind.label for kind in all_kinds()}
    context = {
        "webhook": found,
        "secret": secret,
        "page": page,
        "kinds": None if found.kinds is None else [labels.get(kind, kind) for kind in found.kinds],
        "signs_twice": found.former_until is not None and found.former_until > timezone.now(),
        "trail": [_list(), (str(found), "")],
    }
    return render(request, "notifications/webhook.html", context)


def _list() -> tuple[str, str]:
    return "Webhooks", reverse("notifications:webhooks")
