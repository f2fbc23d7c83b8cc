"""The Models list."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.registry.forms import ModelFilterForm
from mop.registry.models import Model
from mop.registry.selectors import models_for_list, sort_of
from mop.registry.statuses import RevisionStatus
from mop.registry.unsettled import worked_on
from mop.ui.fragments import LIVE_TEMPLATE, Live, live_answer
from mop.ui.middleware import is_fragment
from mop.ui.paging import keyset_page

PAGE_ROWS = 25


@require_GET
def models(request: HttpRequest) -> HttpResponse:
    """The list with its filters; htmx asks for the rows alone when a filter changes."""
    context = _context(request, user_of(request))
    return render(request, LIVE_TEMPLATE if is_fragment(request) else "registry/models.html", context)


@require_GET
def live_models(request: HttpRequest) -> HttpResponse:
    """The rows again while something runs."""
    context = _context(request, user_of(request))
    return live_answer(request, context["live"], context)


def _context(request: HttpRequest, user: User) -> dict[str, Any]:
    form = ModelFilterForm(request.GET)
    given = form.cleaned_data if form.is_valid() else {}
    status, search = given.get("status", ""), given.get("search", "")
    sort = given.get("sort", "") or "name"
    queryset = models_for_list(user, search=search, status=status, owned=given.get("group") == "mine", sort=sort)
    field, descending = sort_of(sort)
    busy = worked_on()
    page = keyset_page(
        queryset, field=field, descending=descending, cursor=request.GET.get("cursor", ""), size=PAGE_ROWS
    )
    for row in page.rows:
        row.shown_status = RevisionStatus(row.latest_status)  # type: ignore[attr-defined] # for the badge
    return {
        "form": form,
        "page": page,
        "sort": sort,
        "filtered": bool(search or status or given.get("group")),
        "live": Live(
            id="models",
            url=reverse("registry:live_models"),
            query=request.GET.urlencode(),
            seconds=3,
            is_final=not any(_moves(row, busy) for row in page.rows),
            state=[_state(row) for row in page.rows],
            result="registry/components/model_rows.html",
            moving="Statuses change",
        ),
    }


def _moves(row: Model, busy: set[uuid.UUID]) -> bool:
    shown: Any = row
    return shown.shown_status.is_live or shown.latest_id in busy


def _state(row: Model) -> list[Any]:
    shown: Any = row
    return [row.pk, row.description, shown.latest_version, shown.latest_status, str(shown.latest_at)]
