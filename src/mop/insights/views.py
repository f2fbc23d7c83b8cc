"""Home: what needs the person now, what runs, and what ended lately."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.ui.extensions import HOME_ITEMS, HomeItem, HomeList
from mop.ui.fragments import Live, live_answer


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The first page of the portal."""
    return render(request, "insights/home.html", _context(request))


@require_GET
def live_home(request: HttpRequest) -> HttpResponse:
    """The lists again."""
    context = _context(request)
    return live_answer(request, context["live"], context)


def _context(request: HttpRequest) -> dict[str, Any]:
    user = user_of(request)
    items = [item for part in HOME_ITEMS.shown(request, user) for item in part]
    items.sort(key=lambda item: item.at, reverse=True)
    lists = {place: [item for item in items if item.place is place] for place in HomeList}
    needs = sorted(lists[HomeList.NEEDS], key=lambda item: not item.is_fault)
    return {
        "needs": needs,
        "runs": lists[HomeList.RUNS],
        "ended": lists[HomeList.ENDED],
        "faults": sum(item.is_fault for item in needs),
        "live": Live(
            id="home",
            url=reverse("insights:live_home"),
            query="",
            seconds=10,
            is_final=not lists[HomeList.RUNS],
            state=[_state(item) for item in items],
            result="insights/components/lists.html",
            moving="What runs",
        ),
    }


def _state(item: HomeItem) -> list[str]:
    return [item.what, item.text, item.reason, item.at.isoformat(), item.action]
