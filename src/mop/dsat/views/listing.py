"""The list of cases."""

from __future__ import annotations

from typing import Any

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
from mop.dsat.selectors import cases_for_list
from mop.dsat.states import CaseState
from mop.ui.extensions import ShownTab
from mop.ui.middleware import is_fragment
from mop.ui.paging import keyset_page

PAGE_ROWS = 25


@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """The list with its filters; htmx asks for the rows alone when a filter changes."""
    user = user_of(request)
    context = _context(request, reader(user))
    if is_fragment(request):
        return render(request, "dsat/components/rows.html", context)
    return render(request, "dsat/cases.html", {**context, "tabs": _tabs(request, user)})


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
        "rows": [row_of(case, reading) for case in page.rows],
        "filtered": any(vars(wanted).values()),
    }


def _tabs(request: HttpRequest, user: User) -> list[ShownTab]:
    views = {
        "Open work": "state=waiting",
        "Mine": f"state=waiting&assignee={user.username}",
        "Unassigned": "state=waiting&assignee=nobody",
        "Fixed, to close": f"state={CaseState.FIXED.value}",
        "All": "",
    }
    here, current = reverse("dsat:cases"), request.GET.urlencode()
    return [
        ShownTab(label, f"{here}?{query}" if query else here, is_current=query == current)
        for label, query in views.items()
    ]
