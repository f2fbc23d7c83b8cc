"""Adding cases: one by a form, many by a file."""

from __future__ import annotations

import csv
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from mop.accounts.current_user import actor_in, user_of
from mop.accounts.rules import authorise
from mop.dsat import importing
from mop.dsat.forms import CaseForm, ImportForm, TaskChoiceForm
from mop.dsat.models import Import
from mop.dsat.services import add_case
from mop.dsat.states import ImportState
from mop.dsat.views.trails import below_cases
from mop.ui.fragments import Action, Live, live_answer
from mop.ui.pages import Done, sent, show_form
from mop.ui.uploads import takes_files

LISTED_MAX, FAULTS_SHOWN = 20, 200


@takes_files
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """First the task, which the address holds; then the case."""
    user = user_of(request)
    authorise(user, "dsat.create", what="add DSAT cases")
    chosen = TaskChoiceForm(request.GET or None)
    if not chosen.is_valid():
        choice = TaskChoiceForm() if not request.GET else chosen
        return show_form(request, "dsat/add_task.html", choice, {"trail": below_cases(("Add a case", ""))})
    task = chosen.cleaned_data["task"]
    form = CaseForm(request.POST or None, request.FILES or None, task=task)

    def act() -> Done:
        facts = form.facts()
        case = add_case(
            task=task,
            content=form.content(),
            actor=actor_in(request),
            submitter=user,
            reported_by_service=facts.pop("service"),
            is_restricted=form.cleaned_data["is_restricted"],
            **facts,
        )
        return Done(f"{case} is added.", reverse("dsat:case", args=[case.pk]))

    context = {"trail": below_cases(("Add a case", "")), "task": task}
    return sent(request, form, act) or show_form(request, "dsat/add_case.html", form, context)


@takes_files
@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """The form for a file, and the person's imports."""
    user = user_of(request)
    authorise(user, "dsat.create", what="add DSAT cases")
    form = ImportForm(request.POST or None, request.FILES or None)

    def act() -> Done:
        given = form.cleaned_data
        row = importing.import_file(
            actor=actor_in(request),
            user=user,
            task=given["task"],
            file_name=given["file"].name,
            data=given["file"].read(),
            service=given["service"],
            is_restricted=given["is_restricted"],
        )
        return Done("The file is uploaded. Its rows are being imported.", reverse("dsat:import", args=[row.pk]))

    rows = [(row, row.get_state()) for row in importing.imports_of(user)[:LISTED_MAX]]
    context = {"trail": below_cases(("Add from a file", "")), "imports": rows}
    return sent(request, form, act) or show_form(request, "dsat/imports.html", form, context)


@require_GET
def import_page(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """One import: progress, then its report."""
    return render(request, "dsat/import.html", _context(importing.get_import(user_of(request), import_id)))


@require_GET
def live_import(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Its live part again."""
    context = _context(importing.get_import(user_of(request), import_id))
    return live_answer(request, context["live"], context)


@require_GET
def faults_csv(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """The report of refused rows."""
    row = importing.get_import(user_of(request), import_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{row.pk}-refused-rows.csv"'
    writer = csv.writer(response)
    writer.writerow(["row", "column", "reason"])
    writer.writerows([fault["row"], fault["column"], fault["reason"]] for fault in row.faults)
    return response


@require_POST
def cancel(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """End an import."""
    row = importing.get_import(user_of(request), import_id)
    importing.cancel_import(actor=actor_in(request), row=row)
    messages.success(request, "The import is cancelled. Cases that it made stay.")
    return redirect("dsat:import", import_id=import_id)


@require_POST
def delete(request: HttpRequest, import_id: uuid.UUID) -> HttpResponse:
    """Delete an import with its report."""
    row = importing.get_import(user_of(request), import_id)
    importing.delete_import(actor=actor_in(request), row=row)
    messages.success(request, "The import is deleted. Cases that it made stay.")
    return redirect("dsat:imports")


def _context(row: Import) -> dict[str, Any]:
    state = row.get_state()
    actions = []
    if state.is_live:
        actions.append(Action("cancel", "Cancel", reverse("dsat:cancel_import", args=[row.pk]), is_post=True))
    else:
        url = reverse("dsat:delete_import", args=[row.pk])
        actions.append(Action("delete", "Delete the report", url, is_post=True))
    return {
        "row": row,
        "faults": row.faults[:FAULTS_SHOWN],
        "trail": below_cases(("Add from a file", reverse("dsat:imports")), (row.file_name, "")),
        "error": row.error if state is ImportState.FAILED else None,
        "live": Live(
            id="dsat-import",
            url=reverse("dsat:live_import", args=[row.pk]),
            seconds=1,
            is_final=state.is_final,
            state=[row.state, row.rows, row.added, row.refused],
            status=state,
            actions=actions,
            result="dsat/components/import_report.html",
            announce=f"The import is {state.value}",
            moving="The rows are read",
        ),
    }
