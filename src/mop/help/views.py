"""Pages of the help. Everybody may read them: they tell nothing of this installation but whom to ask."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.help.api_reference import reference
from mop.help.guides import find_sections, get_guide, groups
from mop.ui.pages import Trail

HITS = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All guides; with `?q=` the sections that hold its words."""
    text = request.GET.get("q", "").strip()[:200]
    context = {"groups": groups(), "text": text, "hits": find_sections(text, HITS) if text else []}
    return render(request, "help/index.html", context)


@require_GET
def guide(request: HttpRequest, name: str) -> HttpResponse:
    """One guide."""
    found = get_guide(name)
    return render(request, "help/guide.html", {"guide": found, "trail": _trail(found.title)})


@require_GET
def api_reference(request: HttpRequest) -> HttpResponse:
    """Every operation of the REST API."""
    return render(request, "help/api.html", {"reference": reference(), "trail": _trail("REST API reference")})


def _trail(title: str) -> Trail:
    return [("Help", reverse("help:index")), (title, "")]
