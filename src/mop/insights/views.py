"""Home: what needs the person now, what runs, and what ended lately; and Analysis: how it went over time."""

from __future__ import annotations

import csv
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.selectors import visible_teams
from mop.insights.analysis import (
    RESULTS,
    Period,
    phases_of,
    reasons_of,
    totals_of,
    until_verified,
    weeks_of,
)
from mop.insights.drawing import columns_of
from mop.registry.statuses import RevisionStatus
from mop.ui.extensions import ANALYSIS_PARTS, HOME_CARDS, HOME_ITEMS, HomeItem, HomeList
from mop.ui.fragments import Live, live_answer


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The first page of the portal."""
    return render(
        request, "insights/home.html", _context(request) | {"cards": HOME_CARDS.shown(request, user_of(request))}
    )


DAYS = {"30": "30 days", "90": "90 days", "365": "1 year"}
DAYS_FIRST = "90"


@require_GET
def analysis(request: HttpRequest) -> HttpResponse:
    """What was onboarded in a period, how long it took, why versions failed, what is live."""
    user, period = user_of(request), _period(request)
    versions = period.versions(user)
    weeks = weeks_of(versions, period)
    phases = phases_of(versions)
    longest = max((found.p95 for _, found in phases), default=0.0) or 1.0
    reasons = reasons_of(versions)
    now, before = totals_of(versions), totals_of(period.before().versions(user))
    both_known = now.first_try is not None and before.first_try is not None
    context = {
        "days": DAYS,
        "chosen": str(period.days),
        "team": period.team,
        "teams": list(visible_teams(user).values_list("name", flat=True)),
        "now": now,
        "first_try": None if now.first_try is None else round(100 * now.first_try),
        "versions_change": round(100 * (now.versions / before.versions - 1)) if before.versions else None,
        "first_try_change": round(100 * (now.first_try - before.first_try)) if both_known else None,  # type: ignore[operator]
        "verified_in": until_verified(versions),
        "weeks": weeks,
        "results": [status.value for status in RESULTS],
        "columns": columns_of(weeks),
        "phases": [
            (label, found, *(round(200 * one / longest) for one in (found.p50, found.p95))) for label, found in phases
        ],
        "reasons": [(one, round(100 * one.versions / reasons[0].versions)) for one in reasons],
        "failed": sum(week.counts[RevisionStatus.VERIFY_FAILED] for week in weeks),  # reasons are the most frequent
        "parts": ANALYSIS_PARTS.shown(request, user),
    }
    return render(request, "insights/analysis.html", context)


@require_GET
def analysis_weeks(request: HttpRequest) -> HttpResponse:
    """The weeks as CSV."""
    period = _period(request)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="versions-by-week.csv"'
    writer = csv.writer(answer)
    writer.writerow(["week_of", *(status.value for status in RESULTS)])
    for week in weeks_of(period.versions(user_of(request)), period):
        writer.writerow([week.monday.isoformat(), *week.counts.values()])
    return answer


def _period(request: HttpRequest) -> Period:
    days = request.GET.get("days", "")
    return Period(int(days if days in DAYS else DAYS_FIRST), timezone.now(), request.GET.get("team", ""))


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
