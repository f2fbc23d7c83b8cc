"""Pages of the portal that belong to no area."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from mop.errors import (
    CATALOGUE,
    DatasetFault,
    ModelFault,
    MopError,
    NotAuthenticatedError,
    OutsideFault,
    RequestFault,
    ServiceFault,
)
from mop.ui.middleware import is_fragment
from mop.ui.navigation import home_url
from mop.ui.pages import back_or
from mop.ui.search import found
from mop.ui.theme import COOKIE, COOKIE_SECONDS, THEMES

TOP_BAR_HITS, PAGE_HITS = 6, 50
ERROR_FAMILIES: tuple[tuple[str, type[MopError]], ...] = (
    ("The model folder or its code must change", ModelFault),
    ("The dataset file must change", DatasetFault),
    ("A cause outside the model; MOP tries again by itself", OutsideFault),
    ("What a running model service answers", ServiceFault),
    ("What portal and API answer", RequestFault),
)


@require_GET
def home(_request: HttpRequest) -> HttpResponse:
    """Lead to the first page of the side bar."""
    return HttpResponseRedirect(home_url())


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme and go back to where it was chosen."""
    response = HttpResponseRedirect(back_or(request, "/"))
    theme = request.POST.get("theme", "")
    if theme in THEMES:
        response.set_cookie(COOKIE, theme, max_age=COOKIE_SECONDS, samesite="Lax", secure=request.is_secure())
    return response


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Everything with `?q=` in its name or description that the reader may see; for htmx what the top bar shows."""
    if not request.user.is_authenticated:
        raise NotAuthenticatedError("Nobody is signed in.")
    text = request.GET.get("q", "").strip()
    is_top_bar = is_fragment(request) and request.headers.get("HX-Target") == "search-hits"
    hits = found(request.user, text, limit=TOP_BAR_HITS if is_top_bar else PAGE_HITS)
    template = "components/search_hits.html" if is_top_bar else "search.html"
    return render(request, template, {"found": hits, "text": text})


@require_GET
def errors(request: HttpRequest) -> HttpResponse:
    """Every error of the catalogue: name, what it says, how to fix it."""
    families = [
        (text, [_entry(name, error) for name, error in CATALOGUE.items() if _is_told(error, family)])
        for text, family in ERROR_FAMILIES
    ]
    return render(request, "errors.html", {"families": families})


def _is_told(error: type[MopError], family: type[MopError]) -> bool:
    return issubclass(error, family) and error.title != MopError.title


def _entry(name: str, error: type[MopError]) -> dict[str, str]:
    return {"name": name, "title": error.title, "hint": error.default_hint}  # a template would call the class itself
