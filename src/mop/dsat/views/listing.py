"""The list of cases."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.catalog.models import Task
from mop.dsat.forms import CaseFilterForm
from mop.dsat.models import Case, Kind
from mop.dsat.reading import Reader, reader
from mop.dsat.selectors import CaseFilter, cases_for_list, counted
from mop.dsat.states import CaseState
from mop.ui.extensions import ShownTab
from mop.ui.middleware import is_fragment
from mop.ui.paging import keyset_page

PAGE_ROWS = 25
COUNTED_MAX = 999


@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """The list with its filters; htmx asks for the rows alone when a filter changes."""
    user = user_of(request)
    context = _context(request, reader(user))
    if is_fragment(request):
        return render(request, "dsat/components/rows.html", context)
    return render(request, "dsat/cases.html", {**context, "tabs": _tabs(request, user, context["reading"])})


def row_of(case: Case, reading: Reader) -> dict[str, Any]:
    """What a row of a list shows of a case."""
    return {
        "case": case,
        "state": case.get_state(),
        "kind": Kind(case.kind).label if case.kind else "",
        "reads": reading.reads(case),
    }


def _context(request: HttpRequest, reading: Reader) -> dict[str, Any]:
    names = Task.objects.order_by("name").values_list("name", flat=True)
    form = CaseFilterForm(request.GET, tasks=list(names))
    wanted = form.wanted()
    found, field = cases_for_list(wanted, reading)
    page = keyset_page(found, field=field, descending=True, cursor=request.GET.get("cursor", ""), size=PAGE_ROWS)
    return {
        "form": form,
        "page": page,
        "reading": reading,
        "rows": [row_of(case, reading) for case in page.rows],
        "selectable": True,
        "filtered": any(vars(wanted).values()),
    }


def _tabs(request: HttpRequest, user: User, reading: Reader) -> list[ShownTab]:
    """Tabs with the number of their cases, which is counted up to COUNTED_MAX."""
    views = {
        "Open work": {"state": "waiting"},
        "Mine": {"state": "waiting", "assignee": user.username},
        "Unassigned": {"state": "waiting", "assignee": "nobody"},
        "Fixed, to close": {"state": CaseState.FIXED.value},
        "All": {},
    }
    here, current = reverse("dsat:cases"), request.GET.urlencode()
    tabs = []
    for label, wanted in views.items():
        query = urlencode(wanted)
        count = counted(CaseFilter(**wanted), reading, most=COUNTED_MAX + 1)
        shown = f"{COUNTED_MAX:,}+" if count > COUNTED_MAX else f"{count:,}"
        tabs.append(ShownTab(label, f"{here}?{query}" if query else here, is_current=query == current, count=shown))
    return tabs
