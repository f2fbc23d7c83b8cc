"""The tab Regression test result: one version of a model, compared with another, case by case."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from mop.accounts.current_user import user_of
from mop.accounts.models import User
from mop.accounts.rules import may
from mop.dsat.reading import reader
from mop.dsat.states import CaseState
from mop.registry.models import Model, Revision
from mop.registry.selectors import get_model, get_revision, visible_revisions
from mop.registry.statuses import RevisionStatus
from mop.registry.trails import below_model
from mop.registry.views.context import facts_context
from mop.regression import services
from mop.regression.comparison import Change, compared, comparison_of, counts_of, rates_of
from mop.regression.listing import CASES_OF, CHANGES, PAGE_ROWS, Query, query_of, rows_of
from mop.regression.models import RegressionRun
from mop.regression.selectors import get_run, runs_of_model, visible_previous
from mop.ui.extensions import MODEL_TABS
from mop.ui.fragments import Action, Live, live_answer

TAGS = {Change.BROKEN: "tag--bad", Change.FIXED: "tag--ok", Change.FAILING: "", Change.FAILS: ""}
VERSIONS_MAX = 100
HEAD = ("case", "task", "kind", "expected", "predicted", "error", "passed", "change", "before", "added")


@require_GET
def of_model(request: HttpRequest, name: str) -> HttpResponse:
    """The tab; `?version=V&with=V&change=broken&search=TEXT` narrow it."""
    user = user_of(request)
    model = get_model(user, name)
    context = {
        "model": model,
        "trail": below_model(model.name, ("Regression test result", "")),
        "tabs": MODEL_TABS.shown("regression:model", name=model.name),
        "may_change": may(user, "registry.change_model", model),
        **facts_context(request, model),
        "may_change_owners": False,  # they are managed on the first tab
        **_context(request, user, model),
    }
    return render(request, "regression/model.html", context)


@require_GET
def live(request: HttpRequest, name: str) -> HttpResponse:
    """The tab's live part again while a test waits or goes on."""
    user = user_of(request)
    context = _context(request, user, get_model(user, name))
    return live_answer(request, context["live"], context)


@require_GET
def download(request: HttpRequest, name: str, version: str) -> HttpResponse:
    """Every outcome of a version as CSV; no content."""
    user = user_of(request)
    run = get_run(get_revision(user, name, version))
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(HEAD)
    rows: Any = compared(run, visible_previous(user, run)).order_by("-case_id")
    for row in rows.iterator(1000):
        case = row.case
        facts = (row.expected, row.predicted, row.error, row.is_passed, row.change, row.before or "")
        writer.writerow(
            [case.number, _plain(case.task.name), case.kind, *map(_plain, facts), case.created_at.isoformat()]
        )
    response = HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{version}-regression.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _plain(value: Any) -> str:
    """Not a formula to a spreadsheet."""
    text = str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _context(request: HttpRequest, user: User, model: Model) -> dict[str, Any]:
    query = query_of(request.GET)
    runs = list(runs_of_model(user, model)[:VERSIONS_MAX])
    chosen = _chosen(user, model, query, runs)
    run = next((one for one in runs if chosen is not None and one.revision_id == chosen.pk), None)
    is_final = run is None or run.get_state().is_final
    context: dict[str, Any] = {
        "model": model,
        "query": query,
        "runs": runs,
        "revision": chosen,
        "run": run,
        "state": run.get_state() if run else None,
        "changes": CHANGES,
        "live": Live(
            id="regression-live",
            url=reverse("regression:live", args=[model.name]),
            query=request.GET.urlencode(),
            seconds=3,
            is_final=is_final,
            state=_state(run),
            actions=_actions(user, chosen, run),
            result="regression/components/result.html",
            announce=f"Regression test of {chosen.version}: {run.state}" if run and chosen else "",
            moving="The regression test goes on",
        ),
    }
    if run is not None and run.is_measured:
        context |= _result(user, run, runs, query)
    return context


def _chosen(user: User, model: Model, query: Query, runs: list[RegressionRun]) -> Revision | None:
    """The version that the address names, else the newest with a result, else the newest usable one."""
    if query.version:
        return get_revision(user, model.name, query.version)
    measured = next((one for one in runs if one.is_measured), None)
    if measured or runs:
        return (measured or runs[0]).revision
    usable = visible_revisions(user).filter(model=model, status=RevisionStatus.VERIFIED)
    return usable.order_by("-created_at", "-id").first()


def _state(run: RegressionRun | None) -> list[Any]:
    if run is None:
        return []
    return [run.pk, run.state, run.attempt, run.progress, run.note, run.measured_at, run.is_stale]


def _actions(user: User, revision: Revision | None, run: RegressionRun | None) -> list[Action]:
    if revision is None or not may(user, "regression.run", revision):
        return []
    where = [revision.model.name, revision.version]
    if run is not None and run.get_state().is_live:
        return [Action("cancel", "Cancel…", reverse("regression:cancel", args=where), "danger")]
    if revision.get_status() != RevisionStatus.VERIFIED:
        return []
    return [Action("run", "Run again…" if run else "Run test…", reverse("regression:run", args=where), icon="retry")]


def _result(user: User, run: RegressionRun, runs: list[RegressionRun], query: Query) -> dict[str, Any]:
    others = [one for one in runs if one.pk != run.pk and one.is_measured]
    named = next((one for one in others if one.revision.version == query.against), None)
    against = named or visible_previous(user, run)
    counts = counts_of(run, against)
    rows = rows_of(user, run, against, query)
    start = (query.page - 1) * PAGE_ROWS
    found = list(rows[start : start + PAGE_ROWS + 1])
    looks = reader(user)
    total = rows.count() if query.change or query.search else run.cases
    return {
        "others": others,
        "against": against,
        "comparison": comparison_of(run, against) if against else None,
        "rates": rates_of(run),
        "counts": [(key, label, sum(counts[one] for one in CASES_OF[key])) for key, label in CHANGES.items()],
        "rows": [
            {
                "row": row,
                "tag": TAGS.get(Change(row.change), ""),
                "passed_before": row.before_passed,
                "sees": looks.reads(row.case),
            }
            for row in found[:PAGE_ROWS]
        ],
        "first": start + 1,
        "last": start + len(found[:PAGE_ROWS]),
        "total": total,
        "previous_url": query.address(page=query.page - 1) if query.page > 1 else "",
        "following_url": query.address(page=query.page + 1) if len(found) > PAGE_ROWS else "",
        "fixable": len(services.cases_to_settle(user, run, to=CaseState.FIXED)),
        "closable": len(services.cases_to_settle(user, run, to=CaseState.CLOSED)),
        "download": reverse("regression:download", args=[run.revision.model.name, run.revision.version]),
    }
