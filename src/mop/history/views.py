"""Pages of the audit log."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.rules import authorise
from mop.audit.models import AuditEvent
from mop.history.export import as_csv, as_json
from mop.history.forms import EventFilterForm
from mop.history.presentation import shown_events
from mop.history.selectors import events, history_of
from mop.ui.paging import keyset_page

PAGE_ROWS = 50


@require_GET
def audit(request: HttpRequest) -> HttpResponseBase:
    """All events that fit the filter, the newest first; `format` gives them as a file."""
    authorise(user_of(request), "history.view_all", what="read the audit log")
    form = EventFilterForm(request.GET)
    found = events(form.chosen())
    kind = request.GET.get("format", "")
    if kind in {"csv", "json"}:
        return _file(found.order_by("-pk"), kind)
    page = keyset_page(found, field="id", descending=True, cursor=request.GET.get("cursor", ""), size=PAGE_ROWS)
    query = request.GET.copy()
    query.pop("cursor", None)
    context = {
        "page": page,
        "events": shown_events(page.rows),
        "form": form,
        "query": query.urlencode(),
        "filtered": any(form.cleaned_data.values()),
    }
    return render(request, "history/audit.html", context)


@require_GET
def of_object(request: HttpRequest, kind: str, object_id: int) -> HttpResponse:
    """The history of one object; a part of its page where that asks."""
    found = history_of(user_of(request), kind, object_id)
    page = keyset_page(found.events, field="id", descending=True, cursor=request.GET.get("cursor", ""), size=PAGE_ROWS)
    context = {
        "history": found,
        "page": page,
        "events": shown_events(page.rows),
        "trail": [(found.label, found.url), ("History", "")],
    }
    template = "history/components/events.html" if request.headers.get("HX-Request") else "history/object.html"
    return render(request, template, context)


def _file(found: QuerySet[AuditEvent], kind: str) -> StreamingHttpResponse:
    rows, content_type = (as_csv, "text/csv; charset=utf-8") if kind == "csv" else (as_json, "application/json")
    answer = StreamingHttpResponse(rows(found), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="audit.{kind}"'
    return answer
