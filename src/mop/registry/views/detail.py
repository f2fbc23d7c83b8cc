"""A model's page, and the Details of its revisions as a panel beside it or a page of their own."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from mop.accounts.current_user import user_of
from mop.registry.history import choose_columns
from mop.registry.models import Model
from mop.registry.selectors import get_model
from mop.registry.trails import below_model
from mop.registry.views.context import (
    details_context,
    details_panel,
    facts_context,
    history_context,
    model_context,
)
from mop.ui.extensions import MODEL_PANELS
from mop.ui.fragments import LIVE_TEMPLATE, fragment, live_answer
from mop.ui.middleware import is_fragment
from mop.ui.pages import back_or


@require_GET
def model(request: HttpRequest, name: str) -> HttpResponse:
    """The model's page; `?details=VERSION` opens that version's Details beside it; areas above have words too."""
    user = user_of(request)
    if is_fragment(request) and request.headers.get("HX-Target") == "panel":
        return HttpResponse(_panel(request, name, lambda: get_model(user, name)))
    context = model_context(request, name)
    return render(request, "registry/model.html", {**context, "panel": _panel(request, name, lambda: context["model"])})


@require_GET
def live_history(request: HttpRequest, name: str) -> HttpResponse:
    """The version history again while something runs, and the key facts that move with it."""
    context = history_context(request, name)

    def draw() -> HttpResponse:
        shown = {
            **context,
            **facts_context(request, context["model"], context["columns"].facts, owners=context["owners"]),
            "with_facts": True,
            "live": context["history"],
        }
        return render(request, LIVE_TEMPLATE, shown)

    return fragment(request, context["history"].etag, draw)


@require_POST
def history_columns(request: HttpRequest) -> HttpResponse:
    """Keep which columns of the version history the reader wants to see."""
    user_of(request)
    is_reset = request.POST.get("action") == "reset"
    choose_columns(request.session, None if is_reset else request.POST.getlist("column"))
    return HttpResponseRedirect(back_or(request, reverse("registry:models")))


@require_GET
def details(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """A revision's Details as a page."""
    context = details_context(request, name, version)
    trail = below_model(name, (version, ""))
    return render(request, "registry/details.html", {"details": context, "model": context["model"], "trail": trail})


@require_GET
def live_details(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """What changes of a revision's Details again, until nothing does."""
    context = details_context(request, name, version)
    return live_answer(request, context["live"], {"details": context, "model": context["model"]})


def _panel(request: HttpRequest, name: str, found: Callable[[], Model]) -> SafeString:
    is_details = bool(request.GET.get("details")) and not MODEL_PANELS.are_asked_for(request)
    shown = None if is_details else MODEL_PANELS.shown(request, found())
    return shown or details_panel(request, name)
