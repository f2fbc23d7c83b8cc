"""A model's page, and the Details of its revisions as a panel beside it or a page of their own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.registry.selectors import get_model
from mop.registry.trails import below_model
from mop.registry.views.context import details_context, details_panel, history_context, model_context
from mop.ui.extensions import MODEL_PANELS
from mop.ui.fragments import live_answer
from mop.ui.middleware import is_fragment


@require_GET
def model(request: HttpRequest, name: str) -> HttpResponse:
    """The model's page; `?details=VERSION` opens that version's Details beside it; areas above have words too."""
    user = user_of(request)
    found = get_model(user, name)
    panel = MODEL_PANELS.shown(request, found) or details_panel(request, found)
    if is_fragment(request) and request.headers.get("HX-Target") == "panel":
        return HttpResponse(panel)
    return render(request, "registry/model.html", {**model_context(request, found), "panel": panel})


@require_GET
def live_history(request: HttpRequest, name: str) -> HttpResponse:
    """The version history again while something runs."""
    context = history_context(request, get_model(user_of(request), name))
    return live_answer(request, context["history"], context)


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
